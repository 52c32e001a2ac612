"""Find abnormal medical images, and the abnormal regions in them, when almost nothing is labelled."""

import os
from importlib import import_module
from typing import Any

from medad.version import __version__

# Threads of one training wait for each other for some 0.1 ms, then they sleep. By default they wait on, and then
# whatever else wants the same cores makes them many times slower. OpenMP reads it when torch is first imported.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ["OMP_WAIT_POLICY"] = "passive"
    os.environ.setdefault("GOMP_SPINCOUNT", "5000")

_PUBLIC = {
    "Detector": "medad.detectors.contract.detector",
    "ImageSet": "medad.data.imageset",
    "Prediction": "medad.detectors.contract.prediction",
    "Repartition": "medad.data.repartition",
    "SklearnDetector": "medad.detectors.sklearn_adapter",
    "load_detector": "medad.detectors.registry",
    "make_detector": "medad.detectors.registry",
    "read_images": "medad.data.given",
}
__all__ = ["__version__", *_PUBLIC]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    """Import public names when they are first used, so that ``medad --help`` does not wait for torch."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'medad' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    """Return the public names, for a notebook's completion."""
    return sorted({*globals(), *_PUBLIC})
