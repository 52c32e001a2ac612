"""True and false positives at every distinct threshold: what all ranking metrics are made of."""

import warnings
from collections.abc import Callable

import numpy as np

CurveMetric = Callable[[np.ndarray, np.ndarray], np.ndarray]


def checked(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return labels as ``bool`` and scores as floating point, or refuse them.

    Parameters
    ----------
    labels, scores : array_like
        (n,) labels, 0 normal and 1 abnormal, and (n,) scores, higher is more abnormal.

    Raises
    ------
    ValueError
        If they are empty, differ in shape, hold another label, or a score is NaN or infinite (its
        position is named).
    """
    labels, scores = np.asarray(labels), np.asarray(scores)
    if labels.shape != scores.shape or labels.ndim != 1:
        raise ValueError(f"labels {labels.shape} and scores {scores.shape}: give two lists of one length")
    if not len(labels):
        raise ValueError("there are no items to evaluate")
    if labels.dtype != bool and not np.isin(labels, (0, 1)).all():
        raise ValueError("labels: only 0 (normal) and 1 (abnormal) are allowed")
    if not np.isfinite(scores).all():
        item = int(np.flatnonzero(~np.isfinite(scores))[0])
        raise ValueError(f"the score of item {item} is {scores[item]}: scores must be finite")
    return labels.astype(bool), scores if scores.dtype.kind == "f" else scores.astype(np.float64)


def one_class(labels: np.ndarray) -> bool:
    """Tell whether a class is missing among ``bool`` labels, with a warning that the metric is undefined."""
    missing = "abnormal" if not labels.any() else "normal" if labels.all() else ""
    if missing:
        warnings.warn(f"no {missing} items: the metric is undefined (NaN)", RuntimeWarning, stacklevel=4)
    return bool(missing)


def threshold_counts(
    labels: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Count true and false positives of "abnormal when score >= t" for each distinct t, highest first.

    Parameters
    ----------
    labels, scores : ndarray
        (n,) each, as `checked` returns them.
    weights : ndarray, optional
        (..., n) how often each item counts, e.g. one row per bootstrap draw; all ones if absent.

    Returns
    -------
    tp, fp : ndarray
        (..., thresholds) ``float64``. The last entry is the whole number of positives and of negatives.
    """
    order = np.argsort(-scores)
    ranked, positive = scores[order], labels[order]
    last_of_ties = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1)
    if weights is None:
        tp = np.cumsum(positive, dtype=np.float64)[last_of_ties]
        return tp, last_of_ties + 1 - tp
    weighted = weights[..., order].astype(np.float64)
    flagged = np.cumsum(weighted, axis=-1)[..., last_of_ties]
    tp = np.cumsum(weighted * positive, axis=-1)[..., last_of_ties]
    return tp, flagged - tp


def auroc_of_counts(tp: np.ndarray, fp: np.ndarray) -> np.ndarray:
    """Area under the ROC curve of (..., thresholds) counts; ties count one half. Shape (...)."""
    new_tp, new_fp = np.diff(tp, prepend=0), np.diff(fp, prepend=0)
    return (new_fp * (tp - new_tp / 2)).sum(axis=-1) / (tp[..., -1] * fp[..., -1])


def average_precision_of_counts(tp: np.ndarray, fp: np.ndarray) -> np.ndarray:
    """Step-wise average precision, sum over k of (R_k - R_{k-1}) P_k, of (..., thresholds) counts."""
    # Where a draw has flagged nothing yet its precision is 0/0; no recall is gained there.
    precision = tp / np.maximum(tp + fp, 1)
    return (np.diff(tp, prepend=0) * precision).sum(axis=-1) / tp[..., -1]


def best_dice_of_counts(tp: np.ndarray, fp: np.ndarray) -> np.ndarray:
    """Highest Dice over the thresholds, max over k of 2 TP_k / (k + |G|), of (..., thresholds) counts."""
    return (2 * tp / (tp + fp + tp[..., -1:])).max(axis=-1)


def pro_of_counts(covered: np.ndarray, fp: np.ndarray, limit: float) -> np.ndarray:
    """Area under the per-region overlap up to the false positive rate `limit`, divided by `limit`. Shape (...).

    Parameters
    ----------
    covered, fp : ndarray
        (..., thresholds) sums of the regions' covered fractions, and false positives; highest threshold first,
        the last entries those of all regions and of all normal pixels.
    limit : float
        In (0, 1].
    """
    overlap, rate = covered / covered[..., -1:], fp / fp[..., -1:]
    rise, width = np.diff(overlap, prepend=0), np.diff(rate, prepend=0)
    inside = np.clip(limit - (rate - width), 0, width)  # of each straight piece, as far as the limit
    share = np.divide(inside, width, out=np.zeros_like(width), where=width > 0)
    return (inside * (overlap - rise + rise * share / 2)).sum(axis=-1) / limit


def roc_curve(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return false and true positive rate, (thresholds + 1,) each, from (0, 0) to (1, 1)."""
    tp, fp = threshold_counts(*checked(labels, scores))
    return np.insert(fp, 0, 0) / fp[-1], np.insert(tp, 0, 0) / tp[-1]


def precision_recall_curve(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return recall and precision, (thresholds,) each, from the highest threshold to the lowest."""
    tp, fp = threshold_counts(*checked(labels, scores))
    return tp / tp[-1], tp / (tp + fp)
