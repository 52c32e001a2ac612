"""Choosing among scores without labels: by how well they tell unlabeled images from normal ones (AUC_u).

Of unlabeled images a share pi is abnormal, so that AUC_u = pi AUC + (1 - pi) / 2: it ranks scores as the true AUROC
does, up to noise, if the pools differ in nothing else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from medad.evaluation.delong import delong_variance, paired_variance
from medad.evaluation.intervals import auroc_interval
from medad.evaluation.metrics import auroc

RULE = "the highest AUC_u is chosen; of equal ones the earlier in the list, which begins with the simplest"


@dataclass(frozen=True)
class Judged:
    """How well a score tells unlabeled images from normal ones.

    Attributes
    ----------
    auc_u, low, high, se : float
        AUROC of unlabeled against normal images, the ends of its 95 % interval, and its standard error.
    behind, behind_se : float
        How far it is behind the best of the list, and the standard error of that, on the same images.
    """

    auc_u: float
    low: float
    high: float
    se: float
    behind: float
    behind_se: float


def judge(
    unlabeled: np.ndarray,
    scores: Mapping[str, np.ndarray],
    best: np.ndarray,
    patients: Sequence[str] | None = None,
) -> dict[str, Judged]:
    """Return the figures of all `scores`.

    Parameters
    ----------
    unlabeled : ndarray
        (n,) 0 for normal, 1 for unlabeled images.
    scores : mapping of str to ndarray
        (n,) each, of models that had not seen the image.
    best : ndarray
        (n,) scores that the others are compared with.
    patients : sequence of str, optional
        (n,) whose each image is, empty where unknown.
    """
    top = auroc(unlabeled, best)
    found = {}
    for name, values in scores.items():
        value = auroc(unlabeled, values)
        se, apart = delong_variance(unlabeled, values, patients), paired_variance(unlabeled, best, values, patients)
        ends = auroc_interval(unlabeled, values, patients)
        found[name] = Judged(value, *ends, *map(float, (np.sqrt(se), top - value, np.sqrt(max(apart, 0.0)))))
    return found


def chosen(unlabeled: np.ndarray, scores: Mapping[str, np.ndarray]) -> str:
    """Return the name that `RULE` chooses."""
    return max(scores, key=lambda name: auroc(unlabeled, scores[name]))  # the first of equals


def unit_of(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the medians (c,) of the scores (n, c) of images, and how wide the middle half of them is.

    What is not the same only by rounding has width 1.
    """
    low, middle, high = np.percentile(scores, (25, 50, 75), axis=0)
    return middle, np.where(high - low > 1e-6 * np.abs(middle), high - low, 1.0)


def standardised(scores: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Return `scores` of a fold, less the median of the images that are `normal`, in units of their middle half.

    So the scores of several folds' models, which may lie on scales of their own, can stand in one list.
    """
    middle, width = unit_of(scores[normal])
    return (scores - middle) / width
