"""Training of ASR-Net on synthetic anomalies, stage 2 of DDAD (Cai et al. 2023, section 3.3)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from medad.detectors.contract.plan import Plan
from medad.detectors.contract.ranges import ranged
from medad.detectors.ddad.anomalies import PUBLISHED, with_anomalies
from medad.detectors.ddad.asr_net import ASRNet
from medad.detectors.ddad.discrepancy import discrepancies, ensemble_residual, stack
from medad.detectors.reconstruction.backbones import make_network
from medad.networks.focal import focal_loss
from medad.networks.folding import folded
from medad.training.average import averaged
from medad.training.checkpoint import load_networks, load_tensors
from medad.training.phase import Chunk, Phase, adam, for_training, gradient_step, set_lr
from medad.training.spec import Recipe

# An ASR-Net step is long enough for two threads to share it almost without loss, and there is often only one net.
REFINEMENT_THREADS = 2
LEAST = 1e-3  # is added to maps before their logarithm is taken
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
    refine_log : bool
        Whether ASR-Net sees the logarithms of maps, whose scale is another one in every training.
    refine_residual : bool
        Whether it sees the reconstruction error of the ensemble, too.
    p_synth : float
        Share of the images that receive a synthetic anomaly.
    synthesis : str
        Which: ``"fpi"``, squares of another image, blended in, as in the paper; ``"pii"``, ``"nsa"`` or ``"cutpaste"``,
        patches as the methods of these names paste them; ``"perlin"``, textures as DRAEM has them; ``"mixed"``, any of
        these.
    """

    refine_width: int = ranged(128, 1)
    refine_epochs: int = ranged(100, 1)
    refine_batch_size: int = ranged(8, 1)
    refine_lr: float = ranged(1e-4, 1e-12, 1)
    refine_weight_decay: float = ranged(1e-4, 0)
    refine_cosine: bool = False
    refine_average: float = ranged(0.0, 0, 1 - 1e-9)
    refine_steps: int | None = ranged(None, 1)
    refine_snapshots: int = ranged(0, 0)
    refine_log: bool = False
    refine_residual: bool = False
    p_synth: float = ranged(0.5, 0, 1)
    synthesis: str = PUBLISHED


def inputs_of(name: str, options: RefinementOptions) -> list[str]:
    """Return the names of the maps that the ASR-Net `name` (``"r_dual"`` or ``"r_intra"``) sees."""
    names = ["a_intra", "a_inter"] if name == "r_dual" else ["a_intra"]
    return ["a_rec", *names] if options.refine_residual else names


def refined_from(maps: Mapping[str, Tensor], name: str, options: RefinementOptions) -> Tensor:
    """Return what the ASR-Net `name` sees of `maps` (n, S, S): (n, inputs, S, S)."""
    seen = torch.stack([maps[one] for one in inputs_of(name, options)], 1)
    return (seen + LEAST).log() if options.refine_log else seen


def refinement_phase(plan: Plan, recipe: Recipe, name: str, of: str, modules: Sequence[Sequence[str]]) -> Phase:
    """Return the phase that trains an ASR-Net on maps of the frozen modules.

    Parameters
    ----------
    plan, recipe
        As for every phase.
    name, of : str
        Of the network, and of the map that it makes: ``"r_dual"`` or ``"r_intra"``.
    modules : sequence of sequence of str
        Members of the NDM and, for R_dual, of the UDM.
    """
    options, images = plan.options, plan.normal.images()
    frozen = [[_frozen(plan, member) for member in members] for members in modules]
    network = for_training({name: ASRNet(len(inputs_of(of, options)), options.refine_width)}, plan.device)[name]
    optimiser = adam(network, options.refine_lr, options.refine_weight_decay)

    def schedule(number: int) -> None:
        if options.refine_cosine:
            set_lr(optimiser, options.refine_lr * 0.5 * (1 + math.cos(math.pi * number / recipe.total_steps)))

    def draw(index: Tensor) -> Chunk:
        x, masks = with_anomalies(options.synthesis, options.p_synth, images, index)
        with torch.no_grad():
            made = [stack([net(x) for net in members]) for members in frozen]
            maps = discrepancies(made, options.bessel)
            if options.refine_residual:
                maps |= {"a_rec": ensemble_residual(x, made[0])}
        return refined_from(maps, of, options).contiguous(memory_format=torch.channels_last), masks

    def step(batch: Chunk) -> Tensor:
        return gradient_step(optimiser, lambda: focal_loss(network(batch[0]), batch[1]), plan.precision)

    chunk = max(SYNTHESISED_AT_ONCE // options.size**2 // recipe.batch_size, 1)
    phase = Phase({name: network}, {name: optimiser}, draw, step, chunk, schedule)
    return averaged(phase, name, options.refine_average) if options.refine_average else phase


def _frozen(plan: Plan, member: str) -> nn.Module:
    network = make_network(plan.options.backbone, plan.options)
    load_networks({member: network}, load_tensors(plan.finished(member))[0])
    return folded(network).to(plan.device)
