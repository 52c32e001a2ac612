"""The shortcut test: whether something that sees no pathology tells two sets of images apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medad.evaluation.intervals import auroc_interval
from medad.evaluation.metrics import auroc
from medad.evaluation.pools import folds_of

HISTOGRAM = 16  # bins


@dataclass(frozen=True)
class Shortcut:
    """How well a feature tells two sets apart: cross-validated AUROC and its 95 % interval."""

    auroc: float
    low: float
    high: float


def shortcut(
    features: np.ndarray, second: np.ndarray, patients: Sequence[str] | None = None, seed: int = 0
) -> Shortcut | None:
    """Tell two sets apart by a logistic regression, each fifth scored by what the others taught.

    L2 penalty with C = 1 on standardised features, classes balanced: fixed in advance, nothing is chosen.

    Parameters
    ----------
    features : ndarray
        (n, d), finite.
    second : ndarray
        (n,) ``bool``: the second of the two sets.
    patients : sequence of str, optional
        (n,) empty where unknown. A patient's images stay in one fold, and count once in the interval.
    seed : int
        Of the folds.

    Returns
    -------
    Shortcut or None
        None where a set has fewer than five images or patients.
    """
    folds = folds_of(second.astype(int), seed, patients) if len(set(second.tolist())) == 2 else []
    if not folds:
        return None
    scores = np.empty(len(second))
    for train, test in folds:
        model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000))
        scores[test] = model.fit(features[train], second[train]).decision_function(features[test])
    return Shortcut(auroc(second, scores), *auroc_interval(second, scores, patients))


def histograms(pixels: np.ndarray, white: float) -> np.ndarray:
    """Return what share of the pixels of (n, ...) images lies in each of 16 equal bins from 0 to `white`, (n, 16)."""
    bins = np.minimum(pixels.reshape(len(pixels), -1) * (HISTOGRAM / white), HISTOGRAM - 1).astype(np.int64)
    return np.stack([np.bincount(row, minlength=HISTOGRAM) / row.size for row in bins])


def one_hot(values: Sequence[str]) -> np.ndarray:
    """Return (n, levels): 1 where a value is that level."""
    levels = np.array(sorted(set(values)))
    return (np.array(values)[:, None] == levels).astype(np.float64)


def together(features: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return all features side by side."""
    return np.concatenate([np.asarray(one, np.float64) for one in features.values()], axis=1)
