"""One point of the ROC curve: how many of one class a threshold takes that a share of the other class sets.

The threshold comes from the sample, too, so intervals hold the chance in both classes, by MOVER (Zou & Donner,
Statistics in Medicine 2008): on either side add in quadrature how far the figure moves with the threshold's own exact
limits and how far Clopper's and Pearson's bounds lie at the threshold as it is. With fewer than 72 images of the class
that sets the threshold a 95 % limit of it lies beyond them all, and the interval says so.
"""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from medad.evaluation.curves import checked, threshold_counts
from medad.evaluation.intervals import Ends, class_sizes, clopper_pearson
from medad.evaluation.thresholds import fpr_at_tpr

_ROUNDING = 1e-9


def sensitivity_at_specificity(labels: np.ndarray, scores: np.ndarray, specificity: float = 0.95) -> float:
    """Return the highest sensitivity among thresholds whose specificity is at least `specificity`.

    It is 1 - `fpr_at_tpr` with the classes exchanged.

    Parameters
    ----------
    labels, scores : array_like
        (n,) labels in {0, 1} and (n,) finite scores.
    specificity : float
        In (0, 1].

    Returns
    -------
    float
        In [0, 1], 0 where only a threshold above all scores is so specific; NaN with a ``RuntimeWarning`` if a class
        is missing.

    Raises
    ------
    ValueError
        If the input is empty, differs in length, a score is not finite, or `specificity` is out of range.
    """
    if not 0 < specificity <= 1:
        raise ValueError(f"specificity {specificity}: give a number above 0 and at most 1")
    labels, scores = checked(labels, scores)
    return 1 - fpr_at_tpr(~labels, -scores, specificity)


def fpr_interval(
    labels: np.ndarray,
    scores: np.ndarray,
    patients: Sequence[str] | None = None,
    training: float = 0.0,
    tpr: float = 0.95,
) -> Ends:
    """Return the 95 % interval of `fpr_at_tpr`.

    Parameters
    ----------
    labels : array_like
        (n,) in {0, 1}, both present.
    scores : array_like
        (n,) finite scores, or (members, n): then of the mean over members.
    patients : sequence of str, optional
        (n,) whose each item is, empty where unknown; a patient counts once.
    training : float
        Half width from the chance in training, see `medad.evaluation.intervals.training_margin`.
    tpr : float
        In (0, 1].
    """
    abnormal, normal = class_sizes(labels, patients)
    found = stats.binom.ppf((0.025, 0.975), abnormal, tpr) / abnormal  # TPR here of the population's threshold
    members = [checked(labels, member) for member in np.atleast_2d(scores)]
    value = float(np.mean([fpr_at_tpr(*member, tpr) for member in members]))
    moved = np.mean([_between(*threshold_counts(*member), *found) for member in members], axis=0)
    below, above = np.sqrt((moved - value) ** 2 + (np.array(clopper_pearson(value, normal)) - value) ** 2 + training**2)
    return max(value - float(below), 0.0), min(value + float(above), 1.0)


def sensitivity_interval(
    labels: np.ndarray,
    scores: np.ndarray,
    patients: Sequence[str] | None = None,
    training: float = 0.0,
    specificity: float = 0.95,
) -> Ends:
    """Return the 95 % interval of `sensitivity_at_specificity`; see `fpr_interval`."""
    exchanged = ~np.asarray(labels, dtype=bool), -np.asarray(scores)
    low, high = fpr_interval(*exchanged, patients, training, specificity)
    return 1 - high, 1 - low


def _between(tp: np.ndarray, fp: np.ndarray, least: float, most: float) -> tuple[float, float]:
    """Return the lowest and the highest false positive rate where the true positive rate lies in [least, most]."""
    tpr, fpr = np.insert(tp, 0, 0) / tp[-1], np.insert(fp, 0, 0) / fp[-1]
    return float(fpr[np.argmax(tpr >= least - _ROUNDING)]), float(fpr[tpr <= most + _ROUNDING].max())
