"""AE, MemAE and AE-U as detectors, and the training of one such network, which DDAD shares."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from medad.detectors.base import Detector, TrainingData
from medad.detectors.options import Options
from medad.networks.autoencoder import AE, AEU, BACKBONES, Reconstruction
from medad.networks.dropout import add_dropout
from medad.training.phase import Chunk, Phase, PhaseSpec, Recipe, adam, descend
from medad.training.pixels import open_pixels


@dataclass(frozen=True)
class ReconstructionOptions(Options):
    """The network and the "DDAD recipe" of its training; the defaults are the paper's code.

    Attributes
    ----------
    width : int
        Multiplier of the convolution channels.
    hidden, latent : int
        Sizes of the linear layers.
    epochs, batch_size : int
        Length of training.
    lr : float
        Learning rate of Adam, betas (0.5, 0.999), constant.
    steps : int or None
        If given, the number of training steps instead of `epochs`.
    log_variance_limit : float
        AE-U clamps log(sigma^2) to ± this; the public codes do not (infinity).
    dropout : float
        Share of values dropped after every ReLU in training.
    """

    width: int = 1
    hidden: int = 2048
    latent: int = 16
    epochs: int = 250
    batch_size: int = 64
    lr: float = 5e-4
    steps: int | None = None
    log_variance_limit: float = 10.0
    dropout: float = 0.0


RECONSTRUCTION_PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},
    "standard": {"holdout": 0.1},
    "quick": {"hidden": 512, "epochs": 60},
    "tiny": {"hidden": 32, "steps": 2},
}


def make_network(backbone: str, options: ReconstructionOptions) -> AE:
    """Return an untrained network of `backbone` (``"ae"``, ``"memae"`` or ``"aeu"``)."""
    network = BACKBONES[backbone](options.size, options.channels, options.width, options.hidden, options.latent)
    if isinstance(network, AEU):
        network.log_variance_limit = options.log_variance_limit
    if options.dropout:
        add_dropout(network, options.dropout)
    return network


def network_options(options: ReconstructionOptions) -> dict[str, Any]:
    """Return the options on which one trained network depends: not K, not ASR-Net's, not the threshold's."""
    names = {field.name for field in fields(ReconstructionOptions)} - {"holdout"}
    return {name: value for name, value in asdict(options).items() if name in names}


def network_recipe(options: ReconstructionOptions, count: int) -> Recipe:
    """Return how long a network trains on `count` images."""
    return Recipe(count, options.batch_size, options.epochs, options.steps)


def network_phase(
    name: str,
    backbone: str,
    options: ReconstructionOptions,
    files: Sequence[Path],
    precision: str,
    device: str,
) -> Phase:
    """Return the phase that trains one reconstruction network on the images of `files`."""
    images = open_pixels(files, torch.device(device))
    network = make_network(backbone, options)
    network.to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    optimiser = adam(network, options.lr)

    def prepare(index: Tensor) -> Chunk:
        return (images(index),)

    def step(batch: Chunk) -> Tensor:
        return descend(optimiser, lambda: network.loss(batch[0]), precision, images.device)

    recipe, chunk = network_recipe(options, len(images)), images.batches_at_once(options.batch_size)
    return Phase({name: network}, {name: optimiser}, recipe, prepare, step, chunk)


def residual_map(x: Tensor, out: Reconstruction) -> Tensor:
    """Return (x - mean)^2, divided by the predicted variance if there is one; mean over channels, (n, S, S)."""
    error = (x - out.mean).square()
    if out.log_variance is not None:
        error = error * (-out.log_variance).exp()
    return error.mean(1)


class ReconstructionDetector(Detector):
    """One reconstruction network trained on normal images; the residual is the anomaly map."""

    options_type = ReconstructionOptions
    presets = RECONSTRUCTION_PRESETS

    def build(self) -> dict[str, nn.Module]:
        """Return the network."""
        return {self.name: make_network(self.name, self.options)}

    def stages(self, data: TrainingData, folder: Path) -> list[list[PhaseSpec]]:
        """Return one stage with one phase."""
        build = partial(
            network_phase,
            self.name,
            self.name,
            self.options,
            data.files[:1],
            self.precision,
            str(self.device),
        )
        recipe = network_recipe(self.options, data.counts[0])
        return [[self.spec(self.name, build, data.fingerprints[:1], recipe, network_options(self.options))]]

    def analyse(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return the residual map and its mean."""
        residual = residual_map(x, self.folded_[self.name](x))
        score = residual.mean((1, 2))
        return {"a_rec": score, "pred_score": score}, {"a_rec": residual, "anomaly_map": residual}


class AEDetector(ReconstructionDetector):
    """Autoencoder, squared residual (DDAD-ASR's baseline and default backbone).

    Differs from the paper: the paper's text draws three linear layers, its code has four; the code is followed.
    """

    name = "ae"


class MemAEDetector(ReconstructionDetector):
    """MemAE in the form of DDAD-ASR: one query of 25 slots on the latent vector.

    Differs from the paper: Gong et al. query at every position of a feature map and shrink the
    weights; DDAD-ASR's code, which is followed, does neither.
    """

    name = "memae"


class AEUDetector(ReconstructionDetector):
    """AE-U: the squared residual divided by the predicted variance.

    Differs from the paper: log(sigma^2) is clamped to ±10 in training and scoring.
    """

    name = "aeu"
