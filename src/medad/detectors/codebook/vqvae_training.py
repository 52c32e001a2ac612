"""Training of the VQ-VAE, of the prior over its codes and of the thresholds on their NLLs."""

from dataclasses import dataclass
from math import ceil
from typing import TypeVar, cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from medad.detectors.codebook.pixelsnail import PixelSNAIL
from medad.detectors.codebook.vqvae_network import VQVAE
from medad.detectors.contract.one_network import adam_of
from medad.detectors.contract.options import TrainingOptions
from medad.detectors.contract.plan import Plan
from medad.detectors.contract.ranges import ranged
from medad.networks.folding import folded
from medad.training.checkpoint import load_networks, load_tensors
from medad.training.fit import Fit
from medad.training.phase import Chunk, Phase, for_training, gradient_step
from medad.training.pixels import in_order
from medad.training.spec import Recipe

Network = TypeVar("Network", bound=nn.Module)

AUTOENCODER, PRIOR, THRESHOLDS = "vqvae", "prior", "thresholds"  # what is trained, in this order
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
    width: int = ranged(16, 1, 64)
    codes: int = ranged(128, 2)
    prior_width: int = ranged(128, 1)
    prior_blocks: int = ranged(4, 1)
    restorations: int = ranged(15, 1)


def thresholds_of(nll: Tensor) -> dict[str, Tensor]:
    """Return the NLLs above which a code counts for the ``score`` and is drawn anew for the ``restoration``, ().

    Parameters
    ----------
    nll : Tensor
        NLLs, in nats, of the codes of normal images, whose quantiles they are.
    """
    ordered = nll.flatten().sort().values
    quantiles = {"score": SCORE_QUANTILE, "restoration": RESTORATION_QUANTILE}
    return {name: ordered[ceil(quantile * len(ordered)) - 1] + MARGIN for name, quantile in quantiles.items()}


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


def prior_phase(plan: Plan, recipe: Recipe) -> Phase:
    """Return the phase that trains the prior on the codes that the finished VQ-VAE gives to the images of `plan`."""
    codes = _codes(plan)
    network = for_training({PRIOR: make_prior(plan.options)}, plan.device)[PRIOR]
    optimiser = clipped_adam(plan.options, network)
    loss = cast(PixelSNAIL, network).loss

    def step(batch: Chunk) -> Tensor:
        return gradient_step(optimiser, lambda: loss(*batch), plan.precision)

    return Phase({PRIOR: network}, {PRIOR: optimiser}, lambda index: (codes[index],), step)


def thresholds_fit(plan: Plan, recipe: Recipe) -> Fit:
    """Return the fit that collects the NLLs of the codes of all images of `plan` and ends with the thresholds."""
    o, images = plan.options, plan.images()
    vqvae, prior = _frozen(make_vqvae(o), AUTOENCODER, plan), _frozen(make_prior(o), PRIOR, plan)
    nll = torch.zeros(recipe.count, (o.size // VQVAE.shrinkage) ** 2, device=plan.device)

    def update(index: Tensor) -> None:
        nll[index] = prior.nll(vqvae.encode(images(index))).flatten(1)

    return Fit(THRESHOLDS, {"nll": nll}, update, lambda found: thresholds_of(found["nll"]))


@torch.no_grad()
def _codes(plan: Plan) -> Tensor:
    """Return the codes of all images, (n, h, w): few enough to be kept."""
    images, network = plan.images(), _frozen(make_vqvae(plan.options), AUTOENCODER, plan)
    return torch.cat([network.encode(x) for x in in_order(images, plan.options.batch_size)])


def _frozen(network: Network, name: str, plan: Plan) -> Network:
    load_networks({name: network}, load_tensors(plan.finished(name))[0])
    return cast(Network, folded(network).to(plan.device))
