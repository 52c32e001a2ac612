"""How many of the unlabeled images are normal, estimated without a label."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medad.detectors.contract.division import FoldData
from medad.evaluation.pools import folds_of
from medad.evaluation.promises.abnormal_share import best_bin

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
