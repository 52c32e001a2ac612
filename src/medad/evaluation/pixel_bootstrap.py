"""How certain pixel metrics are: images, not their pixels, are drawn anew.

Pixels of one image depend on each other, so an image is drawn with all its pixels and regions. A draw is a sum over
images of their counts of pixels by score, and all draws are one product of matrices.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from medad.evaluation.bootstrap import resampled
from medad.evaluation.pixels import coverage_weights, pooled_pixels

# Products are made in blocks of at most this many counts, so that memory does not grow with the draws.
_BLOCK = 1 << 20
_LEVELS = np.arange(1, 256) / 256

# Of true positives, false positives and covered fractions of regions at thresholds, (draws, thresholds) each.
PixelMetric = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def pixel_draws(
    masks: np.ndarray,
    maps: np.ndarray,
    metrics: Mapping[str, PixelMetric],
    patients: Sequence[str] | None = None,
    draws: int = 2000,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """Metrics of the pooled pixels in each draw of a stratified bootstrap of images.

    Images without and with abnormal pixels are resampled separately; where patients are known, a patient's images are
    drawn together. The draws depend on which images have abnormal pixels, `patients`, `draws` and `seed` only: all
    maps of the same images see the same draws, so their values can be subtracted pairwise. Scores are binned
    (`image_counts`), which moves a value by less than 0.002 (see the tests): take the spread of the draws, and the
    value itself from `medad.evaluation.pixels`.

    Images that are alone in their stratum are in every draw and add nothing to the spread: with one abnormal image
    it says nothing of the choice of abnormal images.

    Parameters
    ----------
    masks, maps : array_like
        (n, H, W) in {0, 1}, and finite.
    metrics : mapping of str to callable
        Functions of ``(tp, fp, covered)`` counts by name.
    patients : sequence of str, optional
        (n,) the patient of each image, empty where unknown.
    draws, seed : int
        Number of draws and seed of the generator.

    Returns
    -------
    dict of str to ndarray
        (draws,) of each metric. A draw without abnormal or without normal pixels is NaN; if the masks are all empty or
        all full, all are.

    Raises
    ------
    ValueError
        If the shapes differ, the input is empty, a pixel is not finite, or there are not as many patients as images.
    """
    counts = image_counts(masks, maps)
    if patients is not None and len(patients) != len(masks):
        raise ValueError(f"{len(patients)} patients for {len(masks)} images")
    times = resampled(counts[0].any(axis=1), draws, seed, patients)
    blocks = [metrics_of_images(counts, drawn, metrics) for drawn in times]
    return {name: np.concatenate([block[name] for block in blocks]) for name in metrics}


def image_counts(masks: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Count the pixels of each image by score, so that `metrics_of_images` can pool any choice of images.

    Bins begin at 255 quantiles each of the normal pixels, of the abnormal ones, and of these weighted by the
    reciprocal of their region's area, so that none holds more than about 1/256 of any of them but for equal scores.

    Parameters
    ----------
    masks, maps : array_like
        (n, H, W) in {0, 1}, and finite.

    Returns
    -------
    ndarray
        (3, n, bins), highest scores first: abnormal pixels, normal pixels, and covered fractions of regions.

    Raises
    ------
    ValueError
        If the shapes differ, the input is empty, or a pixel is not finite.
    """
    labels, scores = (pixels.reshape(np.shape(masks)) for pixels in pooled_pixels(masks, maps))
    shares = [coverage_weights(mask[None])[0][mask] for mask in labels]  # of each abnormal pixel in its region
    edges = _edges(scores[~labels], scores[labels], np.concatenate(shares))
    counts = np.empty((3, len(labels), len(edges) + 1))
    for image, (mask, share) in enumerate(zip(labels, shares, strict=True)):
        bins = len(edges) - np.searchsorted(edges, scores[image], side="right")
        for row, (chosen, weights) in enumerate(((mask, None), (~mask, None), (mask, share))):
            counts[row, image] = np.bincount(bins[chosen], weights, len(edges) + 1)
    return counts


def _edges(normal: np.ndarray, abnormal: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return the scores at which bins begin, ascending."""
    found = [np.quantile(scores, _LEVELS, method="lower") for scores in (normal, abnormal) if len(scores)]
    if len(abnormal):
        found.append(np.quantile(abnormal, _LEVELS, method="inverted_cdf", weights=shares))
    return np.unique(np.concatenate(found))


def metrics_of_images(
    counts: np.ndarray, times: np.ndarray, metrics: Mapping[str, PixelMetric]
) -> dict[str, np.ndarray]:
    """Metrics of the pooled pixels where each image is taken some times.

    Parameters
    ----------
    counts : ndarray
        (3, n, bins) of `image_counts`.
    times : array_like
        (draws, n) how often each image is taken; a row of ones is the whole set.
    metrics : mapping of str to callable
        See `pixel_draws`.

    Returns
    -------
    dict of str to ndarray
        As `pixel_draws`.
    """
    times = np.asarray(times, dtype=np.float64)
    rows = max(1, _BLOCK // counts.shape[2])
    pooled = (np.cumsum(times[i : i + rows] @ counts, axis=2) for i in range(0, len(times), rows))
    blocks = [[_defined(metric, *some) for metric in metrics.values()] for some in pooled]
    return dict(zip(metrics, np.concatenate(blocks, axis=1), strict=True))


def _defined(metric: PixelMetric, tp: np.ndarray, fp: np.ndarray, covered: np.ndarray) -> np.ndarray:
    """Return the metric of (draws, bins) counts at thresholds between bins; (draws,), NaN where a class is missing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        values = metric(tp, fp, covered)
    return np.where((tp[:, -1] > 0) & (fp[:, -1] > 0), values, np.nan)
