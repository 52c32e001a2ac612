"""Average precision of residuals over a grid of anomalies and reconstructions.

Outside the anomaly the residual of an image and a reconstruction is the same for all anomalies, so its pixels are
sorted once; an anomaly then costs no more than its own pixels, each looked up in the sorted ones.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.ndimage import gaussian_filter

from medad.detectors.contract.batches import parallel_map
from medad.evaluation.small_regions import average_precisions

Found = tuple[np.ndarray, np.ndarray]  # average precision and mean residual of k anomalies in one image, (k,) each
Judge = Callable[[np.ndarray, np.ndarray, np.ndarray], Found]  # of an image, a mask, and what may be under it


@dataclass(frozen=True)
class Landscape:
    """Over images, (anomalies, reconstructions): mean average precision, its standard deviation, mean residual."""

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
    flat = [np.asarray(intensities, float)[:, None]] * len(images)
    columns = [over_images(images, masks, flat, partial(behind_blur, sigma=sigma), jobs) for sigma in sigmas]
    return Landscape(*(np.concatenate([getattr(c, n) for c in columns], 1) for n in ("ap", "spread", "residual")))


def over_images(
    images: np.ndarray, masks: np.ndarray, contents: Sequence[np.ndarray], judge: Judge, jobs: int = 1
) -> Landscape:
    """Return what residuals find of any anomalies, of one reconstruction.

    Parameters
    ----------
    contents : sequence of ndarray
        Of each image what is under its mask, (k, p) for k anomalies on p pixels, or (k, 1) where they have one value.
    judge : callable
        Such as `behind_blur`.
    """
    found = parallel_map(lambda given: judge(*given), zip(images, masks, contents, strict=True), jobs)
    aps, residuals = (np.array(part)[..., None] for part in zip(*found, strict=True))
    return Landscape(aps.mean(0), aps.std(0), residuals.mean(0))


def behind_blur(image: np.ndarray, mask: np.ndarray, content: np.ndarray, sigma: float) -> Found:
    """Return what is found where the reconstruction is the normal image, blurred."""
    return found_in(image, mask, content, gaussian_filter(image, sigma) if sigma else image)


def found_in(image: np.ndarray, mask: np.ndarray, content: np.ndarray, reconstruction: np.ndarray) -> Found:
    """Return the average precision and the mean residual of each anomaly in one image."""
    outside = np.sort(np.abs(reconstruction - image)[~mask])
    inside = np.abs(reconstruction[mask] - content)
    return average_precisions(inside, outside), (outside.sum() + inside.sum(1)) / image.size
