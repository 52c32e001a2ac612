"""Metrics at a threshold: an item is predicted abnormal when its score >= the threshold."""

import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from medad.evaluation.curves import checked, one_class, threshold_counts


class Confusion(NamedTuple):
    """Numbers of true and false positives and negatives."""

    tp: int
    fp: int
    tn: int
    fn: int


class Oracle(NamedTuple):
    """A value at the threshold that the labels themselves choose: an upper bound, never a result.

    Attributes
    ----------
    value, threshold : float
        NaN where a class is missing.
    """

    value: float
    threshold: float


def confusion(labels: np.ndarray, scores: np.ndarray, threshold: float) -> Confusion:
    """Count what is predicted right and wrong.

    Parameters
    ----------
    labels, scores : array_like
        (n,) labels in {0, 1} and (n,) finite scores.
    threshold : float
        Finite.

    Raises
    ------
    ValueError
        If the input is empty, differs in length, or a number is not finite.
    """
    if not np.isfinite(threshold):
        raise ValueError(f"threshold {threshold}: give a finite number")
    labels, scores = checked(labels, scores)
    flagged = scores >= threshold
    tp, fp = int((flagged & labels).sum()), int((flagged & ~labels).sum())
    return Confusion(tp, fp, int((~labels).sum()) - fp, int(labels.sum()) - tp)


def _share(part: int, whole: int, undefined: float, why: str) -> float:
    if whole:
        return part / whole
    warnings.warn(f"{why}: {undefined}", RuntimeWarning, stacklevel=3)
    return undefined


def _one_class(c: Confusion) -> bool:
    return one_class(np.array([False] * (c.tn + c.fp > 0) + [True] * (c.tp + c.fn > 0)))


def precision(labels: np.ndarray, scores: np.ndarray, threshold: float) -> float:
    """Return TP / (TP + FP), 0 with a warning if nothing is flagged, NaN if a class is missing; see `confusion`."""
    c = confusion(labels, scores, threshold)
    if _one_class(c):
        return float("nan")
    return _share(c.tp, c.tp + c.fp, 0.0, "nothing is flagged, so precision is set to")


def recall(labels: np.ndarray, scores: np.ndarray, threshold: float) -> float:
    """Return TP / (TP + FN), the sensitivity; NaN with a warning without abnormal items; see `confusion`."""
    c = confusion(labels, scores, threshold)
    return _share(c.tp, c.tp + c.fn, float("nan"), "no abnormal items, so sensitivity is undefined")


sensitivity = recall


def specificity(labels: np.ndarray, scores: np.ndarray, threshold: float) -> float:
    """Return TN / (TN + FP); NaN with a warning without normal items; see `confusion`."""
    c = confusion(labels, scores, threshold)
    return _share(c.tn, c.tn + c.fp, float("nan"), "no normal items, so specificity is undefined")


def f1(labels: np.ndarray, scores: np.ndarray, threshold: float) -> float:
    """Return 2 TP / (2 TP + FP + FN), the harmonic mean of precision and recall: 0 without true positives.

    NaN with a warning if a class is missing; see `confusion`.
    """
    c = confusion(labels, scores, threshold)
    if _one_class(c):
        return float("nan")
    return 2 * c.tp / (2 * c.tp + c.fp + c.fn) if c.tp else 0.0


def accuracy(labels: np.ndarray, scores: np.ndarray, threshold: float) -> float:
    """Return the share of right predictions; NaN with a warning if a class is missing; see `confusion`."""
    c = confusion(labels, scores, threshold)
    return float("nan") if _one_class(c) else (c.tp + c.tn) / sum(c)


def balanced_accuracy(labels: np.ndarray, scores: np.ndarray, threshold: float) -> float:
    """Return the mean of sensitivity and specificity; NaN with a warning if a class is missing; see `confusion`."""
    return (recall(labels, scores, threshold) + specificity(labels, scores, threshold)) / 2


def oracle_f1(labels: np.ndarray, scores: np.ndarray) -> Oracle:
    """Return the highest F1 over all distinct scores as thresholds; of equal ones the highest threshold."""
    return _oracle(lambda tp, fp: 2 * tp / (tp + fp + tp[-1]), labels, scores)


def oracle_youden(labels: np.ndarray, scores: np.ndarray) -> Oracle:
    """Return the highest TPR - FPR over all distinct scores as thresholds; of equal ones the highest threshold."""
    # Whole numbers until the end, so that equal values are equal.
    return _oracle(lambda tp, fp: (tp * fp[-1] - fp * tp[-1]) / (tp[-1] * fp[-1]), labels, scores)


def _oracle(
    criterion: Callable[[np.ndarray, np.ndarray], np.ndarray], labels: np.ndarray, scores: np.ndarray
) -> Oracle:
    labels, scores = checked(labels, scores)
    if one_class(labels):
        return Oracle(float("nan"), float("nan"))
    values = criterion(*threshold_counts(labels, scores))
    best = int(np.argmax(values))
    return Oracle(float(values[best]), float(np.unique(scores)[::-1][best]))


def fpr_at_tpr(labels: np.ndarray, scores: np.ndarray, tpr: float = 0.95, *, interpolate: bool = False) -> float:
    """Return the smallest false positive rate among thresholds whose true positive rate is at least `tpr`.

    Parameters
    ----------
    labels, scores : array_like
        (n,) labels in {0, 1} and (n,) finite scores.
    tpr : float
        In (0, 1].
    interpolate : bool
        Follow the straight lines of the ROC curve to exactly `tpr`.

    Returns
    -------
    float
        In [0, 1]; NaN with a ``RuntimeWarning`` if a class is missing.

    Raises
    ------
    ValueError
        If the input is empty, differs in length, a score is not finite, or `tpr` is out of range.
    """
    if not 0 < tpr <= 1:
        raise ValueError(f"tpr {tpr}: give a number above 0 and at most 1")
    labels, scores = checked(labels, scores)
    if one_class(labels):
        return float("nan")
    tp, fp = (np.insert(counts, 0, 0) for counts in threshold_counts(labels, scores))
    k = int(np.argmax(tp >= tpr * tp[-1] - 1e-9))  # the margin keeps 0.95 * 20 from becoming 19.000...1
    if not interpolate:
        return float(fp[k] / fp[-1])
    part = (tpr * tp[-1] - tp[k - 1]) / (tp[k] - tp[k - 1])
    return float((fp[k - 1] + part * (fp[k] - fp[k - 1])) / fp[-1])
