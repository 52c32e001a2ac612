"""Average precision of residuals over a grid of intensities of an anomaly and blurs of the reconstruction.

Outside the anomaly the residual of an image and a blur is the same for all intensities, so its pixels are sorted once;
an intensity then costs no more than the pixels of the anomaly, each looked up in the sorted ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from medad.detectors.contract.batches import parallel_map


@dataclass(frozen=True)
class Landscape:
    """Means over images, (intensities, blurs): average precision, and mean residual."""

    ap: np.ndarray
    residual: np.ndarray


def landscape(
    images: np.ndarray, masks: np.ndarray, intensities: Sequence[float], sigmas: Sequence[float], jobs: int = 1
) -> Landscape:
    """Return what residuals find of disks of one intensity, where the reconstruction is the normal image, blurred.

    Parameters
    ----------
    images : ndarray
        (n, H, W) normal images in [0, 1], background 0.
    masks : ndarray
        (n, H, W) ``bool``: where the disk of each lies.
    intensities, sigmas : sequence of float
        Of the disks in [0, 1], and of the Gaussian blurs, in pixels.
    jobs : int
        Number of threads.
    """
    values = np.asarray(intensities, float)
    cells = [(image, mask, sigma) for image, mask in zip(images, masks, strict=True) for sigma in sigmas]
    found = list(parallel_map(lambda cell: _cell(*cell, values), cells, jobs))
    shape = (len(images), len(sigmas), len(values))
    ap, residual = (np.array(part).reshape(shape).mean(0).T for part in zip(*found, strict=True))
    return Landscape(ap, residual)


def _cell(image: np.ndarray, mask: np.ndarray, sigma: float, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    blurred = gaussian_filter(image, sigma) if sigma else image
    outside = np.sort(np.abs(blurred - image)[~mask])
    inside = np.abs(blurred[mask] - values[:, None])
    return average_precisions(inside, outside), (outside.sum() + inside.sum(1)) / image.size


def average_precisions(positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
    """Return the step-wise average precision of several sets of positive scores among the same negative ones, (k,).

    Parameters
    ----------
    positive : ndarray
        (k, p), p at least 1.
    negative : ndarray
        (m,) ascending.
    """
    scores = np.sort(positive, axis=1)[:, ::-1]
    false = len(negative) - np.searchsorted(negative, scores, side="left")
    count = np.arange(1, scores.shape[1] + 1)
    # Of equal scores all are found together: each takes the precision of the last of them.
    last = np.concatenate([scores[:, 1:] != scores[:, :-1], np.ones((len(scores), 1), bool)], axis=1)
    place = np.where(last, count, scores.shape[1])
    true = np.minimum.accumulate(place[:, ::-1], axis=1)[:, ::-1]
    return (true / (true + false)).mean(1)
