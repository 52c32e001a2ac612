"""Metrics of labels (0 normal, 1 abnormal) and scores (higher is more abnormal): the one place to import them from.

Ties are handled by distinct thresholds; an item is predicted abnormal when its score >= the threshold.
With one class only every metric is NaN, with a warning, but for those that are about that class alone: sensitivity
needs abnormal items, specificity normal ones.
"""

import numpy as np

from medad.evaluation.chi_squared import chi_squared_distance, class_densities
from medad.evaluation.curves import (
    CurveMetric,
    auroc_of_counts,
    average_precision_of_counts,
    checked,
    one_class,
    threshold_counts,
)
from medad.evaluation.operating_points import sensitivity_at_specificity
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
    "sensitivity_at_specificity",
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
