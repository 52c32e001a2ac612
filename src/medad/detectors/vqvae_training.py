"""Training of the VQ-VAE, of the prior over its codes and of the thresholds on their NLLs (spec section 5.3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import TypeVar, cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from medad.detectors.one_network import adam_of
from medad.detectors.options import TrainingOptions
from medad.networks.folding import folded
from medad.networks.pixelsnail import PixelSNAIL
from medad.networks.vqvae import VQVAE
from medad.training.checkpoint import load_networks, load_tensors
from medad.training.phase import Chunk, Phase, Recipe, descend
from medad.training.pixels import open_pixels

Network = TypeVar("Network", bound=nn.Module)

GRADIENT_LIMIT = 1.0
SCORE_QUANTILE, RESTORATION_QUANTILE = 0.98, 0.90  # of the NLLs of normal codes
MARGIN = 1e-3  # nats; many codes are equally improbable, and rounding must not tell which of them are above a quantile


@dataclass(frozen=True)
class VQVAEOptions(TrainingOptions):
    """Options of the VQ-VAE; the recipe is that of both networks.

    Attributes
    ----------
    width : int
        Channels of the VQ-VAE at full resolution; the codebook's vectors have 16 times as many values.
    codes : int
        Size of the codebook.
    prior_width, prior_blocks : int
        Channels and number of blocks of PixelSNAIL.
    restorations : int
        S, the number of restorations of an image.
    """

    scoring = TrainingOptions.scoring | {"restorations"}

    epochs: int = 600
    lr: float = 1e-4
    width: int = 16
    codes: int = 128
    prior_width: int = 128
    prior_blocks: int = 4
    restorations: int = 15


class Thresholds(nn.Module):
    """NLLs, in nats, above which a code counts for the score and is drawn anew for the restorations.

    They are parameters without gradients, so that they lie in the file of weights.
    """

    def __init__(self) -> None:
        super().__init__()
        self.score, self.restoration = (nn.Parameter(torch.zeros(()), requires_grad=False) for _ in range(2))

    def fit(self, nll: Tensor) -> Tensor:
        """Set both to quantiles of `nll`, those of the codes of normal images; return the mean of `nll`, 0-d."""
        ordered = nll.flatten().sort().values
        for threshold, quantile in (self.score, SCORE_QUANTILE), (self.restoration, RESTORATION_QUANTILE):
            threshold.copy_(ordered[ceil(quantile * len(ordered)) - 1] + MARGIN)
        return nll.mean()


def make_vqvae(options: VQVAEOptions) -> VQVAE:
    """Return the untrained VQ-VAE."""
    return VQVAE(options.channels, options.width, options.codes)


def make_prior(options: VQVAEOptions) -> PixelSNAIL:
    """Return the untrained prior over maps of codes."""
    return PixelSNAIL(options.codes, options.size // VQVAE.shrinkage, options.prior_width, options.prior_blocks)


def clipped_adam(options: VQVAEOptions, network: nn.Module) -> Optimizer:
    """Return Adam that clamps every value of the gradient to ±1."""
    optimiser = adam_of(options, network)
    weights = list(network.parameters())
    optimiser.register_step_pre_hook(lambda *call: nn.utils.clip_grad_value_(weights, GRADIENT_LIMIT))
    return optimiser


def prior_phase(
    name: str, options: VQVAEOptions, vqvae: Path, files: Sequence[Path], precision: str, device: str
) -> Phase:
    """Return the phase that trains the prior on the codes that the finished VQ-VAE gives to the images of `files`."""
    codes = _codes(options, vqvae, files, device)
    network = make_prior(options).to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    optimiser = clipped_adam(options, network)

    def step(batch: Chunk) -> Tensor:
        return descend(optimiser, lambda: network.loss(*batch), precision, codes.device)

    return Phase({name: network}, {name: optimiser}, options.recipe(len(codes)), lambda index: (codes[index],), step)


def thresholds_phase(
    name: str, options: VQVAEOptions, vqvae: Path, prior: Path, files: Sequence[Path], device: str
) -> Phase:
    """Return the phase whose only step, over all images of `files`, sets the thresholds."""
    codes = _codes(options, vqvae, files, device)
    network, thresholds = _frozen(make_prior(options), prior, device), Thresholds().to(device)

    @torch.no_grad()
    def prepare(index: Tensor) -> Chunk:
        return (torch.cat([network.nll(codes[part]) for part in index.split(options.batch_size)]),)

    recipe = Recipe(len(codes), batch_size=len(codes), epochs=1)
    return Phase({name: thresholds}, {}, recipe, prepare, lambda batch: thresholds.fit(*batch))


@torch.no_grad()
def _codes(options: VQVAEOptions, vqvae: Path, files: Sequence[Path], device: str) -> Tensor:
    """Return the codes of all images, (n, h, w): few enough to be kept."""
    images = open_pixels(files, torch.device(device))
    network = _frozen(make_vqvae(options), vqvae, device)
    every = torch.arange(len(images), device=device)
    return torch.cat([network.encode(images(part)) for part in every.split(options.batch_size)])


def _frozen(network: Network, path: Path, device: str) -> Network:
    load_networks({path.stem: network}, load_tensors(path)[0])
    return cast(Network, folded(network).to(device))
