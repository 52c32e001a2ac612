"""Every extractor: one row each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from medad.detectors.features.extractors.contract import Extractor
from medad.detectors.features.extractors.dinov2 import make_dinov2, read_dinov2
from medad.detectors.features.extractors.efficientnet import EfficientNetLite0Extractor, read_efficientnet
from medad.detectors.features.extractors.encoder import make_encoder, read_encoder
from medad.detectors.features.extractors.pixels import PixelsExtractor
from medad.detectors.features.extractors.resnet import ResNetExtractor, read_resnet
from medad.errors import UserError, check_choice
from medad.networks.folding import folded
from medad.networks.weights_file import weights_digest


@dataclass(frozen=True)
class ExtractorInfo:
    """An extractor.

    Attributes
    ----------
    make : callable
        Returns it with the weights still to be loaded, given these by name, of whose shapes it may be made.
    read : callable
        Returns it with its weights, given the option `weights`; raises `UserError` where these are missing or wrong.
    """

    make: Callable[[Mapping[str, Tensor]], Extractor]
    read: Callable[[str], Extractor]


def _resnet(kind: str) -> ExtractorInfo:
    return ExtractorInfo(lambda state: ResNetExtractor(kind), partial(read_resnet, kind))


def _dinov2(kind: str) -> ExtractorInfo:
    return ExtractorInfo(partial(make_dinov2, kind), partial(read_dinov2, kind))


EXTRACTORS = {
    "efficientnet_lite0": ExtractorInfo(lambda state: EfficientNetLite0Extractor(), read_efficientnet),
    "resnet18": _resnet("resnet18"),
    "resnet50": _resnet("resnet50"),
    "wide_resnet50_2": _resnet("wide_resnet50_2"),
    "dinov2_vits14": _dinov2("dinov2_vits14"),
    "dinov2_vitb14": _dinov2("dinov2_vitb14"),
    "encoder": ExtractorInfo(make_encoder, read_encoder),
    "pixels": ExtractorInfo(lambda state: PixelsExtractor(), lambda weights: PixelsExtractor()),
}


def make_extractor(name: str, state: Mapping[str, Tensor]) -> Extractor:
    """Return the extractor `name` for the weights `state`, which are still to be loaded."""
    check_choice("extractor", name, EXTRACTORS)
    return EXTRACTORS[name].make(state)


def read_extractor(name: str, weights: str = "") -> Extractor:
    """Return the extractor `name` with its weights.

    Parameters
    ----------
    name : str
        One of `EXTRACTORS`.
    weights : str
        File that holds them, for ``encoder`` the folder of a run; empty for those of an installed package, where
        there is one.

    Raises
    ------
    UserError
        If there is no such extractor, or its weights are missing, unreadable, of another network or not finite.
    """
    check_choice("extractor", name, EXTRACTORS)
    extractor = EXTRACTORS[name].read(weights)
    if not all(torch.isfinite(value).all() for value in extractor.state_dict().values()):
        raise UserError(f"{weights or name}: holds weights that are no finite numbers")
    return extractor.eval().requires_grad_(False)


def extractor_key(name: str, extractor: Extractor) -> str:
    """Return what the descriptors of an extractor depend on: its name and its weights."""
    return f"{name}-{weights_digest({k: v.cpu() for k, v in extractor.state_dict().items()})}"


def for_scoring(extractor: Extractor) -> Extractor:
    """Return the extractor as it is fastest: batch norms merged into the layers before them."""
    merged = folded(extractor)
    assert isinstance(merged, Extractor)
    return merged
