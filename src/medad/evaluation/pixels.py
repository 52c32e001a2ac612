"""Metrics of anomaly maps against masks, the pixels of all images pooled, normal images included.

Masks are (N, H, W) in {0, 1}, all zero for normal images; maps are (N, H, W), finite, higher = more abnormal.
Bring maps to the masks' size first (bilinear); masks are never resized smoothly.
"""

import warnings

import numpy as np
from scipy import ndimage

from medad.evaluation.curves import (
    CurveMetric,
    auroc_of_counts,
    average_precision_of_counts,
    best_dice_of_counts,
    checked,
    one_class,
    pro_of_counts,
    threshold_counts,
)

EIGHT = np.ones((3, 3), dtype=bool)  # a pixel's neighbours, diagonal ones too


def pooled_pixels(masks: np.ndarray, maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and scores of all pixels, checked.

    Raises
    ------
    ValueError
        If the shapes differ, the input is empty, or a pixel is not finite.
    """
    if np.shape(masks) != np.shape(maps) or np.ndim(masks) != 3:
        raise ValueError(f"masks {np.shape(masks)} and maps {np.shape(maps)}: both must be (N, H, W)")
    return checked(np.ravel(masks), np.ravel(maps))


def _of_curve(metric: CurveMetric, masks: np.ndarray, maps: np.ndarray) -> float:
    labels, scores = pooled_pixels(masks, maps)
    return float("nan") if one_class(labels) else float(metric(*threshold_counts(labels, scores)))


def pixel_auroc(masks: np.ndarray, maps: np.ndarray) -> float:
    """Return the area under the ROC curve of all pixels; NaN with a warning if masks are all empty or full."""
    return _of_curve(auroc_of_counts, masks, maps)


def pixel_average_precision(masks: np.ndarray, maps: np.ndarray) -> float:
    """Return the step-wise average precision of all pixels; NaN with a warning if masks are all empty or full."""
    return _of_curve(average_precision_of_counts, masks, maps)


def best_dice(masks: np.ndarray, maps: np.ndarray) -> float:
    """Return the highest Dice coefficient over all thresholds: an oracle.

    Exact: with the k highest pixels flagged, Dice_k = 2 TP_k / (k + |G|) over distinct thresholds. The
    threshold is chosen on the masks themselves, so the figure is an upper bound, never a result.

    Returns
    -------
    float
        In (0, 1]; NaN with a ``RuntimeWarning`` if the masks are all empty or all full.

    Raises
    ------
    ValueError
        If the shapes differ, the input is empty, or a pixel is not finite.
    """
    return _of_curve(best_dice_of_counts, masks, maps)


def best_dice_medianomaly(masks: np.ndarray, maps: np.ndarray, size: int | None = 64, thresholds: int = 100) -> float:
    """Return MedIAnomaly's form of the best Dice, to compare with its tables (Cai et al., 2024): an oracle.

    Maps (cubic) and masks (nearest) are zoomed to `size` x `size` (None leaves them); thresholds are every
    (number of pixels // `thresholds`)-th of the sorted scores, and a pixel is flagged when strictly above.
    """
    if size is not None:
        factors = (1, size / np.shape(maps)[1], size / np.shape(maps)[2])
        masks = ndimage.zoom(np.asarray(masks, dtype=np.uint8), factors, order=0)
        maps = ndimage.zoom(np.asarray(maps, dtype=np.float64), factors, order=3)
    labels, scores = pooled_pixels(masks, maps)
    if one_class(labels):
        return float("nan")
    ranked, abnormal = np.sort(scores), np.sort(scores[labels])
    chosen = ranked[:: max(len(ranked) // thresholds, 1)]
    flagged = len(ranked) - np.searchsorted(ranked, chosen, side="right")
    hits = len(abnormal) - np.searchsorted(abnormal, chosen, side="right")
    return float((2 * hits / (flagged + len(abnormal))).max())


def dice(masks: np.ndarray, maps: np.ndarray, threshold: float, *, pooled: bool = True) -> float:
    """Return 2 |P and G| / (|P| + |G|) with P the pixels >= `threshold`.

    Pooled over all pixels, or the mean over images; where both are empty it is 1, where one is, 0.
    """
    labels, scores = pooled_pixels(masks, maps)
    if not np.isfinite(threshold):
        raise ValueError(f"threshold {threshold}: give a finite number")
    shape = (1 if pooled else len(masks), -1)
    found, true = (scores >= threshold).reshape(shape), labels.reshape(shape)
    total = found.sum(1) + true.sum(1)
    return float(np.where(total > 0, 2 * (found & true).sum(1) / np.maximum(total, 1), 1.0).mean())


def coverage_weights(masks: np.ndarray, min_area: int = 1) -> np.ndarray:
    """Return for each pixel the reciprocal of its region's area, 0 outside of regions; (N, H, W).

    Regions are 8-connected components of a mask with at least `min_area` pixels. The weights of a region sum to
    1, so sums over flagged pixels are sums of the regions' covered fractions.
    """
    weights = np.zeros(np.shape(masks))
    for mask, out in zip(np.asarray(masks, dtype=bool), weights, strict=True):
        regions, count = ndimage.label(mask, EIGHT)
        areas = np.bincount(regions.ravel(), minlength=count + 1)
        share = np.where(areas >= min_area, 1 / np.maximum(areas, 1), 0)
        share[0] = 0
        out[...] = share[regions]
    return weights


def au_pro(masks: np.ndarray, maps: np.ndarray, limit: float = 0.3, min_area: int = 1) -> float:
    """Return the area under the per-region overlap up to a false positive rate (Bergmann et al., CVPR 2020).

    The overlap is the mean over regions (8-connected) of their covered fraction; the false positive rate is
    over all normal pixels. The curve starts at (0, 0), is followed by straight lines to exactly `limit`, and
    its area is divided by `limit`.

    Parameters
    ----------
    masks, maps : array_like
        (N, H, W).
    limit : float
        In (0, 1].
    min_area : int
        Smaller regions count neither as regions nor as normal.

    Returns
    -------
    float
        In [0, 1]: 1 is perfect, limit / 2 is chance. NaN with a ``RuntimeWarning`` without regions or without
        normal pixels.

    Raises
    ------
    ValueError
        If the shapes differ, the input is empty, a pixel is not finite, or `limit` is out of range.
    """
    if not 0 < limit <= 1:
        raise ValueError(f"limit {limit}: give a number above 0 and at most 1")
    labels, scores = pooled_pixels(masks, maps)
    weights = coverage_weights(masks, min_area).ravel()
    if not weights.any() or labels.all():
        warnings.warn("no regions, or no normal pixels: the metric is undefined (NaN)", RuntimeWarning, stacklevel=2)
        return float("nan")
    covered, _ = threshold_counts(np.ones_like(labels), scores, weights)
    _, fp = threshold_counts(labels, scores)
    return float(pro_of_counts(covered, fp, limit))
