"""ResNets with ImageNet weights from a file of the user's."""

from pathlib import Path

from torch import Tensor

from medad.detectors.features.extractors.contract import Extractor, Maps
from medad.detectors.features.extractors.own_file import required
from medad.networks.resnet import ResNet
from medad.networks.weights_file import read_weights


class ResNetExtractor(Extractor):
    """A ResNet; its descriptor has 960 numbers, 3,840 where blocks are bottlenecks.

    Parameters
    ----------
    kind : str
        One of :data:`medad.networks.resnet.KINDS`.
    """

    pooled = ("layer1", "layer2", "layer3", "layer4")
    dense = ("layer1", "layer2", "layer3")
    centred = False

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.network = ResNet(kind)

    def forward(self, x: Tensor) -> Maps:
        """Return the maps of the four layers: strides 4, 8, 16 and 32."""
        return self.network.stages(x)


def read_resnet(kind: str, weights: str) -> ResNetExtractor:
    """Return the extractor with the weights of the file `weights`, which may hold a classifier, too.

    Raises
    ------
    UserError
        If no file is named, or it cannot be read or holds other weights.
    """
    file = required(kind, weights, f"a file of torchvision's {kind}, .pth or .safetensors")
    extractor = ResNetExtractor(kind)
    extractor.network.load_state_dict(read_weights(Path(file), extractor.network, kind), strict=False)
    return extractor
