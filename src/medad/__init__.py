"""Find abnormal medical images, and the abnormal regions in them, when almost nothing is labelled."""

from importlib import import_module
from typing import Any

from medad.version import __version__

_PUBLIC = {
    "Detector": "medad.detectors.base",
    "ImageSet": "medad.data.imageset",
    "Prediction": "medad.detectors.base",
    "Repartition": "medad.data.repartition",
    "SklearnDetector": "medad.detectors.sklearn_adapter",
    "load_detector": "medad.detectors.registry",
    "make_detector": "medad.detectors.registry",
}
__all__ = ["__version__", *_PUBLIC]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    """Import public names when they are first used, so that ``medad --help`` does not wait for torch."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'medad' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)
