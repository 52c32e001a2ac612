"""Every extractor: one row each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from medad.detectors.features.extractors.contract import Extractor
from medad.detectors.features.extractors.efficientnet import EfficientNetLite0Extractor, read_efficientnet
from medad.detectors.features.extractors.pixels import PixelsExtractor
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


EXTRACTORS = {
    "efficientnet_lite0": ExtractorInfo(lambda state: EfficientNetLite0Extractor(), read_efficientnet),
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
        File that holds them; empty for those of an installed package, where there is one.

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
