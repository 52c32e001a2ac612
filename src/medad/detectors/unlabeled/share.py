"""How many of the unlabeled images are normal, estimated without a label."""

import math

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medad.detectors.contract.division import FoldData
from medad.evaluation.pools import folds_of

CONFIDENCE, SLACK = 0.9, 0.01  # of the bound that the estimate makes small
STRENGTH = 1e-4  # C of the regression that ranks the images
BOUNDS = (0.05, 0.95)  # of the estimate: a share of 0 or 1 would leave nothing to learn


def normal_share(data: FoldData) -> float:
    """Return the estimated share of normal images among the unlabeled ones to learn from, .5 where there are few.

    The images are ranked by a regression of normal against unlabeled, each by one that had not seen it.
    """
    pool = data.pool
    folds = folds_of(pool, data.seed, [str(group) for group in data.groups])
    if not folds:
        return 0.5
    ranking = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, class_weight="balanced"))
    scores = cross_val_predict(ranking, data.rows, pool, cv=folds, method="decision_function")
    return float(np.clip(best_bin(scores[pool == 0], scores[pool == 1]), *BOUNDS))


def best_bin(normal: np.ndarray, unlabeled: np.ndarray) -> float:
    """Return the share of normal images by the best bin estimate (Garg et al., NeurIPS 2021).

    Below a score there are at least as many of the unlabeled images, in proportion, as the share times those of the
    normal ones, so the ratio of both proportions is not below the share; the ratio is taken where its upper confidence
    bound is the smallest.

    Parameters
    ----------
    normal, unlabeled : ndarray
        (n,) and (m,) scores, higher is more abnormal.
    """
    ends = np.unique(np.concatenate([normal, unlabeled]))
    below = [np.searchsorted(np.sort(part), ends, side="right") / len(part) for part in (normal, unlabeled)]
    some = below[0] > 0
    ratio = below[1][some] / below[0][some]
    error = sum(math.sqrt(math.log(4 / (1 - CONFIDENCE)) / 2 / len(part)) for part in (normal, unlabeled))
    return float(ratio[(ratio + (1 + SLACK) * error / below[0][some]).argmin()])
