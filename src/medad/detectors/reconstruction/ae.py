"""AE as a detector, on one of four errors."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from torch import Tensor, nn

from medad.detectors.reconstruction.backbones import FormOptions, ReconstructionDetector
from medad.errors import OptionError, check_choice
from medad.networks.pixel_errors import PIXEL_ERRORS, PerceptualError, PixelError
from medad.networks.vgg import read_vgg
from medad.networks.weights_file import weights_digest


@dataclass(frozen=True)
class AEOptions(FormOptions):
    """Options of AE.

    Attributes
    ----------
    loss : str
        The error that is trained on and shown: ``"l2"``, ``"l1"``, ``"ssim"`` or ``"perceptual"``.
    vgg_weights : str
        For loss perceptual, a file of torchvision's VGG19 weights (.pth or .safetensors); only training reads it.
    """

    scoring = FormOptions.scoring | {"vgg_weights"}

    loss: str = "l2"
    vgg_weights: str = ""

    def of_training(self) -> dict[str, Any]:
        """Return the options on which the weights depend: of VGG19's file, what it holds and not where it lies."""
        vgg = {"vgg": weights_digest(read_vgg(Path(self.vgg_weights)))} if self.loss == "perceptual" else {}
        return super().of_training() | vgg


class AEDetector(ReconstructionDetector):
    """Autoencoder, squared residual (DDAD-ASR's baseline and default backbone).

    Option `loss` takes another of MedIAnomaly's errors instead, in training and in the map. VGG19's weights, where
    it needs them, become a part of the fitted detector.

    Scores: ``a_rec``, the mean of its map.

    Differs from the paper: the paper's text draws three linear layers, its code has four; the code is followed. Loss
    perceptual takes VGG19's features as they are, without MedIAnomaly's statistics of them.
    """

    name = "ae"
    options_type = AEOptions

    def __init__(self, options: AEOptions | None = None, **settings: Any) -> None:
        super().__init__(options, **settings)
        loss = self.options.loss
        check_choice("loss", loss, PIXEL_ERRORS)
        if loss == "perceptual" and not self.options.vgg_weights:
            raise OptionError("loss", "name a file of VGG19's weights with option vgg_weights", loss)

    @classmethod
    def make(cls, options: Any) -> nn.Module:
        """Return the untrained network; its part `error` is what it is judged by."""
        network = super().make(options)
        network.add_module("error", PIXEL_ERRORS[options.loss]())
        return network

    @classmethod
    def objective(cls, options: Any, network: nn.Module) -> Callable[..., Tensor]:
        """Return the mean error; this is for training, so VGG19's weights are not there yet."""
        error = _error(network)
        if isinstance(error, PerceptualError):
            error.vgg.load_state_dict(read_vgg(Path(options.vgg_weights)))
        return lambda x: error.loss(x, network(x).mean)

    def residual(self, x: Tensor) -> Tensor:
        """Return the error of the reconstruction of `x`, (n, S, S)."""
        network = self.folded_[self.name]
        return _error(network).map(x, network(x).mean)


def _error(network: nn.Module) -> PixelError:
    return cast(PixelError, network.error)
