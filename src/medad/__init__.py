"""Find abnormal medical images, and the abnormal regions in them, when almost nothing is labelled."""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from medad.version import __version__

# Threads of one training wait for each other for some 0.1 ms, then they sleep. By default they wait on, and then
# whatever else wants the same cores makes them many times slower. OpenMP reads it when torch is first imported.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ["OMP_WAIT_POLICY"] = "passive"
    os.environ.setdefault("GOMP_SPINCOUNT", "5000")

if TYPE_CHECKING:
    from medad.api import controls, evaluate, fit, read_data, score
    from medad.data.given import read_images
    from medad.data.imageset import ImageSet
    from medad.data.repartition import Repartition as Repartition
    from medad.detectors.contract.detector import Detector
    from medad.detectors.contract.prediction import Prediction as Prediction
    from medad.detectors.registry import load_detector as load
    from medad.detectors.registry import load_detector as load_detector
    from medad.detectors.registry import make_detector
    from medad.detectors.sklearn_adapter import SklearnDetector
    from medad.evaluation.scores import ScoreTable

__all__ = [
    "Detector",
    "ImageSet",
    "ScoreTable",
    "SklearnDetector",
    "__version__",
    "controls",
    "evaluate",
    "fit",
    "load",
    "make_detector",
    "read_data",
    "read_images",
    "score",
]

# Where public names stand; those that __all__ leaves out are rarely asked for by name.
_PUBLIC = {
    "Detector": "medad.detectors.contract.detector:Detector",
    "ImageSet": "medad.data.imageset:ImageSet",
    "Prediction": "medad.detectors.contract.prediction:Prediction",
    "Repartition": "medad.data.repartition:Repartition",
    "ScoreTable": "medad.evaluation.scores:ScoreTable",
    "SklearnDetector": "medad.detectors.sklearn_adapter:SklearnDetector",
    "controls": "medad.api:controls",
    "evaluate": "medad.api:evaluate",
    "fit": "medad.api:fit",
    "load": "medad.detectors.registry:load_detector",
    "load_detector": "medad.detectors.registry:load_detector",
    "make_detector": "medad.detectors.registry:make_detector",
    "read_data": "medad.api:read_data",
    "read_images": "medad.data.given:read_images",
    "score": "medad.api:score",
}


def __getattr__(name: str) -> Any:
    """Import public names when they are first used, so that ``medad --help`` does not wait for torch."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'medad' has no attribute {name!r}")
    module, _, attribute = _PUBLIC[name].partition(":")
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    """Return the public names, for a notebook's completion."""
    return sorted({*globals(), *_PUBLIC})
