"""A linear score that tells unlabeled images from normal ones.

The best classifier of unlabeled against normal is a monotone function of the ratio of the abnormal density to the
normal one: it ranks images as the best classifier of abnormal against normal would, if the pools differ in nothing
else.
"""

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from medad.evaluation.metrics import auroc
from medad.evaluation.units import units

STRENGTHS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)  # C of the regression; small is strongly regularised
FOLDS = 5

Folds = list[tuple[np.ndarray, np.ndarray]]


def normal_against_unlabeled(
    normal: np.ndarray,
    unlabeled: np.ndarray,
    seed: int = 0,
    patients: Sequence[str] | None = None,
) -> np.ndarray:
    """Return the linear score of a logistic regression of unlabeled against normal.

    L2 penalty on standardised features, classes balanced, C chosen among `STRENGTHS` by the mean cross-validated
    AUROC of unlabeled against normal (ties: the smaller); no label of an unlabeled image is needed. C is the smallest
    for a single feature, which every C ranks alike, and where a fold would lack one of the pools: with fewer than
    five images or patients in either.

    Parameters
    ----------
    normal, unlabeled : ndarray
        (n, d) and (m, d) features, at least one row each.
    seed : int
        Of the folds, not negative.
    patients : sequence of str, optional
        Of the n normal, then of the m unlabeled; empty where unknown. A patient's images stay in one fold.

    Returns
    -------
    ndarray
        (d + 1,) ``float64``: a weight for each feature as it came, then the intercept; higher is more unlabeled.
    """
    features = np.concatenate([normal, unlabeled]).astype(np.float64)
    pool = np.repeat([0, 1], [len(normal), len(unlabeled)])
    centre, spread = features.mean(axis=0), features.std(axis=0)
    spread[spread <= 1e-12 * np.abs(centre)] = 1  # a constant: its weight is zero
    standard = (features - centre) / spread
    strength = STRENGTHS[0]
    if folds := folds_of(pool, seed, patients) if features.shape[1] > 1 else []:
        strength = max(STRENGTHS, key=lambda c: _validated(standard, pool, folds, c))  # the first of equals
    model = _regression(strength).fit(standard, pool)
    weights = model.coef_[0] / spread
    return np.append(weights, model.intercept_[0] - weights @ centre)


def _regression(strength: float) -> LogisticRegression:
    return LogisticRegression(C=strength, class_weight="balanced", max_iter=1000)


def _validated(features: np.ndarray, pool: np.ndarray, folds: Folds, strength: float) -> float:
    fitted = ((_regression(strength).fit(features[train], pool[train]), test) for train, test in folds)
    return float(np.mean([auroc(pool[test], model.decision_function(features[test])) for model, test in fitted]))


def folds_of(pool: np.ndarray, seed: int, patients: Sequence[str] | None, count: int = FOLDS) -> Folds:
    """Return `count` stratified folds, (train, test) each; none where one would lack a pool."""
    if min(np.bincount(pool)) < count:
        return []
    maker = StratifiedKFold if patients is None else StratifiedGroupKFold
    groups = None if patients is None else units(patients)
    try:
        folds = list(maker(count, shuffle=True, random_state=seed % 2**32).split(pool, pool, groups))
    except ValueError:  # fewer patients than folds
        return []
    whole = all(len(set(pool[part])) == 2 for fold in folds for part in fold)
    return folds if whole else []
