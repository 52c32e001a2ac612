"""Metrics of labels (0 normal, 1 abnormal) and scores (higher is more abnormal): the one place to import them from.

Ties are handled by distinct thresholds; an item is predicted abnormal when its score >= the threshold.
With one class only every metric is NaN, with a warning, but for those that are about that class alone: sensitivity
needs abnormal items, specificity normal ones.
"""

import numpy as np

from medad.evaluation.curves import (
    CurveMetric,
    auroc_of_counts,
    average_precision_of_counts,
    checked,
    one_class,
    threshold_counts,
)
from medad.evaluation.pixels import (
    au_pro,
    best_dice,
    best_dice_medianomaly,
    dice,
    pixel_auroc,
    pixel_average_precision,
)
from medad.evaluation.streaming import PixelHistogram
from medad.evaluation.thresholds import (
    accuracy,
    balanced_accuracy,
    confusion,
    f1,
    fpr_at_tpr,
    oracle_f1,
    oracle_youden,
    precision,
    recall,
    sensitivity,
    specificity,
)

__all__ = [
    "PixelHistogram",
    "accuracy",
    "au_pro",
    "auroc",
    "average_precision",
    "balanced_accuracy",
    "best_dice",
    "best_dice_medianomaly",
    "chi_squared_distance",
    "class_densities",
    "confusion",
    "dice",
    "f1",
    "fpr_at_tpr",
    "oracle_f1",
    "oracle_youden",
    "pixel_auroc",
    "pixel_average_precision",
    "precision",
    "recall",
    "sensitivity",
    "specificity",
]


def _of_curve(metric: CurveMetric, labels: np.ndarray, scores: np.ndarray) -> float:
    labels, scores = checked(labels, scores)
    return float("nan") if one_class(labels) else float(metric(*threshold_counts(labels, scores)))


def auroc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Area under the receiver operating characteristic.

    The probability that an abnormal item scores above a normal one; a tie counts one half.

    Parameters
    ----------
    labels, scores : array_like
        (n,) labels in {0, 1} and (n,) finite scores.

    Returns
    -------
    float
        In [0, 1]; NaN with a ``RuntimeWarning`` if a class is missing.

    Raises
    ------
    ValueError
        If the input is empty, differs in length, or a score is not finite.
    """
    return _of_curve(auroc_of_counts, labels, scores)


def average_precision(labels: np.ndarray, scores: np.ndarray) -> float:
    """Step-wise average precision: sum over distinct thresholds of (R_k - R_{k-1}) P_k.

    No interpolation. The level of chance is the share of abnormal items.

    Parameters
    ----------
    labels, scores : array_like
        (n,) labels in {0, 1} and (n,) finite scores.

    Returns
    -------
    float
        In (0, 1]; NaN with a ``RuntimeWarning`` if a class is missing.

    Raises
    ------
    ValueError
        If the input is empty, differs in length, or a score is not finite.
    """
    return _of_curve(average_precision_of_counts, labels, scores)


def class_densities(labels: np.ndarray, scores: np.ndarray, bins: int = 100) -> tuple[np.ndarray, np.ndarray]:
    """Histogram densities of the normal and the abnormal scores, (bins,) each, heights summing to `bins`.

    All scores are scaled to [0, 1] by their joint minimum and maximum first (DDAD, Fig. 8). A class without
    items has a density of zeros.
    """
    labels, scores = checked(labels, scores)
    spread = np.ptp(scores)
    unit = (scores - scores.min()) / (spread if spread > 0 else 1)
    counts = [np.histogram(unit[labels == label], bins=bins, range=(0, 1))[0] for label in (False, True)]
    normal, abnormal = (count * (bins / max(count.sum(), 1)) for count in counts)
    return normal, abnormal


def chi_squared_distance(labels: np.ndarray, scores: np.ndarray, bins: int = 100, *, official: bool = False) -> float:
    """Chi-squared distance of the two classes' histograms (Cai et al. 2023, Fig. 8).

    0.5 * sum (a - b)^2 / (a + b) over the bins of `class_densities`. It depends on the number of bins and,
    through the scaling by minimum and maximum, on outliers.

    Parameters
    ----------
    labels, scores : array_like
        (n,) labels in {0, 1} and (n,) finite scores.
    bins : int
        Number of equal bins on [0, 1].
    official : bool
        Add 1e-15 to numerator and denominator as the authors' code does, so that every bin in which neither
        class has an item adds 0.5. By default such a bin adds nothing.

    Returns
    -------
    float
        In [0, `bins`]; NaN with a ``RuntimeWarning`` if a class is missing.

    Raises
    ------
    ValueError
        If the input is empty, differs in length, or a score is not finite.
    """
    if one_class(checked(labels, scores)[0]):
        return float("nan")
    normal, abnormal = class_densities(labels, scores, bins)
    square, total = (normal - abnormal) ** 2, normal + abnormal
    if official:
        return float(0.5 * ((square + 1e-15) / (total + 1e-15)).sum())
    return float(0.5 * (square[total > 0] / total[total > 0]).sum())
