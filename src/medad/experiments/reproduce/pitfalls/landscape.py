"""Average precision of residuals over a grid of anomalies and blurs of the reconstruction.

Outside the anomaly the residual of an image and a blur is the same for all anomalies, so its pixels are sorted once;
an anomaly then costs no more than its own pixels, each looked up in the sorted ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from medad.detectors.contract.batches import parallel_map


@dataclass(frozen=True)
class Landscape:
    """Over images, (anomalies, blurs): mean of the average precision, its standard deviation, and mean residual."""

    ap: np.ndarray
    spread: np.ndarray
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
    flat = np.asarray(intensities, float)[:, None]
    return found_behind_blurs(images, masks, [flat] * len(images), sigmas, jobs)


def found_behind_blurs(
    images: np.ndarray, masks: np.ndarray, contents: Sequence[np.ndarray], sigmas: Sequence[float], jobs: int = 1
) -> Landscape:
    """Return what `landscape` does, of any anomalies.

    Parameters
    ----------
    contents : sequence of ndarray
        Of each image what is under its mask, (k, p) for k anomalies on p pixels, or (k, 1) where they have one value.
    """
    cells = [(*each, sigma) for each in zip(images, masks, contents, strict=True) for sigma in sigmas]
    found = parallel_map(lambda given: cell(*given), cells, jobs)
    shape = (len(images), len(sigmas), -1)
    aps, residuals = (np.array(part).reshape(shape) for part in zip(*found, strict=True))
    return Landscape(aps.mean(0).T, aps.std(0).T, residuals.mean(0).T)


def cell(image: np.ndarray, mask: np.ndarray, content: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the average precision and the mean residual of each anomaly in one image behind one blur, (k,) each."""
    blurred = gaussian_filter(image, sigma) if sigma else image
    outside = np.sort(np.abs(blurred - image)[~mask])
    inside = np.abs(blurred[mask] - content)
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
    scores = np.sort(positive, axis=1)
    count = scores.shape[1]
    false = len(negative) - np.searchsorted(negative, scores, side="left")
    # Of equal scores all are found together: each takes the precision of the lowest place of them.
    new = np.concatenate([np.ones((len(scores), 1), bool), scores[:, 1:] != scores[:, :-1]], axis=1)
    true = count - np.maximum.accumulate(np.where(new, np.arange(count), 0), axis=1)
    return (true / (true + false)).mean(1)
