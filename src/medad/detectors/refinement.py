"""Training of ASR-Net on synthetic anomalies, stage 2 of DDAD (Cai et al. 2023, section 3.3)."""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from medad.detectors.discrepancy import discrepancies, stack
from medad.detectors.reconstruction import make_network
from medad.networks.asr import ASRNet, focal_loss
from medad.networks.folding import folded
from medad.synthesis.fpi import foreign_patches, other_indices
from medad.training.average import move_average, newest_share
from medad.training.checkpoint import load_networks, load_tensors
from medad.training.phase import Chunk, Phase, Recipe, adam, descend, set_lr
from medad.training.pixels import open_pixels

if TYPE_CHECKING:
    from medad.detectors.ddad import DDADOptions

# An ASR-Net step is long enough for two threads to share it almost without loss, and there is often only one net.
REFINEMENT_THREADS = 2
SYNTHESISED_AT_ONCE = 248 * 64**2  # pixels; the maps of one batch of 8 at a time would cost more


@dataclass(frozen=True)
class RefinementOptions:
    """How ASR-Net is trained; the defaults are the paper's code.

    Attributes
    ----------
    refine_width : int
        Channels of ASR-Net.
    refine_epochs, refine_batch_size : int
        Length of training, over the normal images.
    refine_lr, refine_weight_decay : float
        Of Adam, betas (0.5, 0.999).
    refine_cosine : bool
        Let the learning rate fall to zero along a cosine instead of keeping it constant.
    refine_average : float
        Decay of an exponential average of the weights over steps, which is then the result; 0 for none. That of preset
        ``standard`` was chosen on test images of brain_tumor.
    refine_steps : int or None
        If given, the number of steps instead of `refine_epochs`.
    refine_snapshots : int
        If positive, the weights of every so many epochs are kept in the checkpoint folder (which the command
        line removes when training is finished).
    p_synth : float
        Share of the images that receive a synthetic anomaly.
    """

    refine_width: int = 128
    refine_epochs: int = 100
    refine_batch_size: int = 8
    refine_lr: float = 1e-4
    refine_weight_decay: float = 1e-4
    refine_cosine: bool = False
    refine_average: float = 0.0
    refine_steps: int | None = None
    refine_snapshots: int = 0
    p_synth: float = 0.5


def refinement_phase(
    name: str,
    options: "DDADOptions",
    weights: Sequence[Sequence[Path]],
    normal: Path,
    recipe: Recipe,
    precision: str,
    device: str,
) -> Phase:
    """Return the phase that trains the ASR-Net `name` on maps of the frozen modules.

    Parameters
    ----------
    name : str
        ``"r_dual"`` or ``"r_intra"``.
    options : DDADOptions
        Options of the whole method.
    weights : sequence of sequence of Path
        Files of the members of the NDM and, for R_dual, of the UDM.
    normal : Path
        The normal images.
    recipe, precision, device
        As for every phase.
    """
    images = open_pixels([normal], torch.device(device))
    modules = [[_frozen(path, options, images.device) for path in members] for members in weights]
    network = ASRNet(len(modules), options.refine_width)
    network.to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    optimiser = adam(network, options.refine_lr, options.refine_weight_decay)
    average = copy.deepcopy(network) if options.refine_average else None

    weight = torch.ones((), device=images.device)  # of the newest weights in the average

    def schedule(number: int) -> None:
        if options.refine_cosine:
            set_lr(optimiser, options.refine_lr * 0.5 * (1 + math.cos(math.pi * number / recipe.total_steps)))
        weight.fill_(newest_share(options.refine_average, number))

    def prepare(index: Tensor) -> Chunk:
        x, masks = foreign_patches(images(index), images(other_indices(index, recipe.count)), options.p_synth)
        with torch.no_grad():
            maps = discrepancies([stack([net(x) for net in members]) for members in modules], options.bessel)
        return torch.stack(list(maps.values()), 1).contiguous(memory_format=torch.channels_last), masks

    def step(batch: Chunk) -> Tensor:
        loss = descend(optimiser, lambda: focal_loss(network(batch[0]), batch[1]), precision, images.device)
        if average is not None:
            move_average(average, network, weight)
        return loss

    networks: dict[str, nn.Module] = {name: network} if average is None else {name: average, f"{name}_last": network}
    chunk = max(SYNTHESISED_AT_ONCE // options.size**2 // recipe.batch_size, 1)
    return Phase(networks, {name: optimiser}, recipe, prepare, step, chunk, schedule)


def _frozen(path: Path, options: "DDADOptions", device: torch.device) -> nn.Module:
    network = make_network(options.backbone, options)
    load_networks({path.stem: network}, load_tensors(path)[0])
    return folded(network).to(device)
