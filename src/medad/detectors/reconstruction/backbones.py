"""MemAE and AE-U as detectors, and what they share with AE and DDAD: options, recipes and making a network."""

from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

from torch import Tensor, nn

from medad.detectors.contract.one_network import OneNetworkDetector
from medad.detectors.contract.options import STANDARD, Options, TrainingOptions
from medad.detectors.contract.ranges import ranged
from medad.networks.autoencoder import AE, AEU, BACKBONES, MemAE, Reconstruction
from medad.networks.dropout import add_dropout


@dataclass(frozen=True)
class ReconstructionOptions(TrainingOptions):
    """The network and the "DDAD recipe" of its training; the defaults are the paper's code.

    Attributes
    ----------
    width : int
        Multiplier of the convolution channels.
    hidden, latent : int
        Sizes of the linear layers.
    log_variance_limit : float
        AE-U clamps log(sigma^2) to ± this; the public codes do not (infinity).
    dropout : float
        Share of values dropped after every ReLU in training.
    """

    width: int = ranged(1, 1, 64)
    hidden: int = ranged(2048, 1)
    latent: int = ranged(16, 1)
    keep_last: bool = False
    lr: float = 5e-4
    beta1: float = 0.5
    log_variance_limit: float = 10.0
    dropout: float = ranged(0.0, 0, 0.9)


RECONSTRUCTION_PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},
    "standard": STANDARD,
    "quick": {"hidden": 512, "epochs": 60},
    "tiny": {"hidden": 32, "steps": 2},
}

# The recipe and hidden size of MedIAnomaly (Cai et al., Medical Image Analysis 2025), as against DDAD-ASR's.
MEDIANOMALY: dict[str, Any] = {"hidden": 1024, "lr": 1e-3, "beta1": 0.9, "keep_last": True}


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
    names = {field.name for field in fields(ReconstructionOptions)} - options.scoring
    return {name: value for name, value in asdict(options).items() if name in names}


def residual_map(x: Tensor, out: Reconstruction) -> Tensor:
    """Return (x - mean)^2, divided by the predicted variance if there is one; mean over channels, (n, S, S)."""
    error = (x - out.mean).square()
    if out.log_variance is not None:
        error = error * (-out.log_variance).exp()
    return error.mean(1)


@dataclass(frozen=True)
class FormOptions(ReconstructionOptions):
    """Options of the methods that two publications give in two forms.

    Attributes
    ----------
    form : str
        ``"ddad"`` (Cai et al. 2023) or ``"medianomaly"`` (Cai et al. 2025): what the options that are not
        given are; the second has smaller linear layers and Adam at 1e-3 with its usual betas, and keeps the
        last partial batch. Its 600 epochs on Brain Tumor are not built in. Detectors made by name or in a grid
        have what the form says; whoever makes these options by hand sets all of them.
    """

    form: str = "ddad"


class ReconstructionDetector(OneNetworkDetector):
    """One reconstruction network trained on normal images; the residual is the anomaly map.

    What the networks differ in from the public codes stands in :mod:`medad.networks.autoencoder`.
    """

    meanings = {
        "a_rec": "reconstruction error",
    }
    options_type: ClassVar[type[Options]] = FormOptions
    presets = RECONSTRUCTION_PRESETS
    forms: ClassVar[dict[str, dict[str, Any]]] = {"ddad": {}, "medianomaly": MEDIANOMALY}

    @classmethod
    def make(cls, options: Any) -> nn.Module:
        """Return the untrained network."""
        return make_network(cls.name, options)

    def analyse(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return the residual map and its mean."""
        residual = self.residual(x)
        score = residual.mean((1, 2))
        return {"a_rec": score, "pred_score": score}, {"a_rec": residual, "anomaly_map": residual}

    def residual(self, x: Tensor) -> Tensor:
        """Return what the reconstruction of `x` gets wrong, (n, S, S)."""
        return residual_map(x, self.folded_[self.name](x))


@dataclass(frozen=True)
class MemAEOptions(FormOptions):
    """Options of MemAE.

    Attributes
    ----------
    shrink : float
        Memory weights below it are set to zero; form ``"medianomaly"`` has 0.0025.
    """

    shrink: float = 0.0


class MemAEDetector(ReconstructionDetector):
    """MemAE in the form of DDAD-ASR: one query of 25 slots on the latent vector.

    Differs from the paper: Gong et al. query at every position of a feature map and shrink the weights; DDAD-ASR's
    code, which is followed, does neither, and MedIAnomaly's shrinks at 0.0025, far below 1 / 25. The biases in front of
    the linear layers' batch norms, which these take away, are not trained: their gradient is rounding noise, of which
    Adam made so large steps that the running means were far off.
    """

    name = "memae"
    options_type = MemAEOptions
    forms = {"ddad": {}, "medianomaly": MEDIANOMALY | {"shrink": 0.0025}}

    @classmethod
    def make(cls, options: Any) -> nn.Module:
        """Return the untrained network."""
        network = make_network(cls.name, options)
        assert isinstance(network, MemAE)
        network.mem_rep.shrink = options.shrink
        return network


class AEUDetector(ReconstructionDetector):
    """AE-U: the squared residual divided by the predicted variance.

    Differs from the paper: log(sigma^2) is clamped to ±10 in training and scoring.
    """

    name = "aeu"
