"""The colour scale of heat maps: one for all images of a run."""

import numpy as np

from medad.data.imageset import ImageSet
from medad.detectors.contract.detector import Detector
from medad.workflows.scoring import Maps, join, score

SAMPLE = 250
PERCENTILES = (50, 99.9)


def normal_scale(detector: Detector, normal: ImageSet) -> list[float] | None:
    """Return the colour scale that normal images set; None for a method without maps.

    Heat maps drawn with it mean the same whichever images they are drawn with: full colour is
    higher than all but 0.1 % of the pixels of known normal images.
    """
    batches: list[Maps] = []
    score(detector, normal.subset(_sample(len(normal))), batches.append)
    maps = join(batches)
    return colour_scale(maps["anomaly_map"]) if maps else None


def colour_scale(maps: np.ndarray) -> list[float]:
    """Return the values of no and of full colour: median and 99.9th percentile of maps (n, H, W)."""
    return [float(value) for value in np.percentile(maps[_sample(len(maps))], PERCENTILES)]


def _sample(count: int) -> np.ndarray:
    """Choose at most `SAMPLE` of `count` positions, evenly spaced."""
    return np.unique(np.linspace(0, count - 1, min(count, SAMPLE)).astype(np.int64))
