"""Encoders that are trained to classify: images to descriptors."""

from pathlib import Path

from torch import Tensor, nn

from medad.detectors.features.extractors.efficientnet import EfficientNetLite0Extractor, read_efficientnet
from medad.errors import OptionError, check_choice
from medad.networks.efficientnet_lite import HEAD
from medad.networks.resnet import PLANES, ResNet, read_resnet18

ENCODERS = ("scratch", "resnet18", "efficientnet_lite0")


class LiteEncoder(EfficientNetLite0Extractor):
    """EfficientNet-Lite0 up to the mean over places of its last layer."""

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        """Return descriptors, (n, 1280), of images (n, C, S, S) in [-1, 1], grey ones taken for RGB."""
        return super().forward(x)[str(HEAD)].mean((2, 3))


def check_encoder(encoder: str, weights: str) -> None:
    """Refuse an encoder that there is not, or one without the weights that it needs.

    Raises
    ------
    OptionError
        For option `encoder`.
    """
    check_choice("encoder", encoder, ENCODERS)
    if encoder == "resnet18" and not weights:
        raise OptionError("encoder", "name a file of torchvision's ResNet18 with option weights", encoder)


def make_encoder(encoder: str, width: int) -> tuple[nn.Module, int]:
    """Return an encoder and the length of its descriptors.

    Parameters
    ----------
    encoder : str
        One of `ENCODERS`.
    width : int
        Of the first layer of a ResNet18 from scratch.
    """
    if encoder == "efficientnet_lite0":
        return LiteEncoder(), HEAD
    width = width if encoder == "scratch" else PLANES[0]
    return _initialised(ResNet("resnet18", width)), PLANES[-1] * width // PLANES[0]


def pretrained_state(encoder: str, weights: str) -> dict[str, Tensor]:
    """Return the ImageNet weights of a pretrained encoder by name.

    Parameters
    ----------
    encoder : str
        ``"resnet18"`` or ``"efficientnet_lite0"``.
    weights : str
        File that holds them; empty for those of an installed package, where there is one.

    Raises
    ------
    UserError
        If they are missing, unreadable or of another network.
    """
    return read_resnet18(Path(weights)) if encoder == "resnet18" else read_efficientnet(weights).state_dict()


def _initialised(network: nn.Module) -> nn.Module:
    """Return a network with convolutions as torchvision begins with: He et al.'s normal numbers."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return network
