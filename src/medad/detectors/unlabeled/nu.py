"""Normal against unlabeled: a linear regression on frozen features."""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from medad.detectors.contract.division import FoldData
from medad.detectors.contract.plan import Plan
from medad.detectors.features.detector import PRESETS
from medad.detectors.features.extractors.contract import Maps
from medad.detectors.unlabeled.fold_fits import HELD_SCORES
from medad.detectors.unlabeled.out_of_fold import Model, OutOfFoldDetector, OutOfFoldOptions
from medad.evaluation.pools import STRENGTHS
from medad.evaluation.standard import standard_of


@dataclass(frozen=True)
class NUOptions(OutOfFoldOptions):
    """Options of the regression."""


class NU(OutOfFoldDetector):
    """L2 logistic regression of unlabeled against normal images on standardised descriptors, classes balanced.

    Unlabeled images are drawn from a mixture of normal and abnormal ones, so the best classifier of unlabeled against
    normal ranks images as the best classifier of abnormal against normal does, if the pools differ in nothing else.
    The strength of the regularisation is the one whose held-out images are told apart best, the stronger of equals;
    no label is needed.

    Scores: ``nu``, the linear function, which is ``pred_score``. The map is exact: what every place
    contributes to that function; its mean is the score less the intercept.

    Differs from the paper: there is none of exactly this; Elkan and Noto learn from positive and unlabeled examples
    and estimate how often positives are labelled, which changes no rank.

    References
    ----------
    Elkan and Noto, Learning classifiers from only positive and unlabeled data, KDD 2008.
    """

    name = "nu"
    options_type = NUOptions
    fold_name = "nu"
    gives_maps = True
    meanings = {
        "nu": "how much more it is like the unlabeled than like the normal images",
        "distance": "distance from the normal images (no unlabeled ones were given)",
        "contribution": "what each place adds to the score",
    }
    presets = PRESETS

    @classmethod
    def learn_fold(cls, plan: Plan, data: FoldData) -> Model:
        """Return the linear functions of all strengths: ``weights`` (c, D) and ``intercepts`` (c,)."""
        found = regressions(data.rows, data.pool)
        return found | {HELD_SCORES: linear(found, torch.from_numpy(data.held))}

    def judge_fold(self, model: Model, d: Tensor) -> Tensor:
        """Return the linear function."""
        return linear(model, d)[:, self.chosen]

    def show_folds(self, models: list[Model], share: Tensor, maps: Maps) -> dict[str, Tensor]:
        """Return what each place contributes."""
        return self.map_of(maps, share @ torch.stack([model["weights"][self.chosen] for model in models]))


def regressions(rows: np.ndarray, pool: np.ndarray) -> Model:
    """Return the regressions of `pool` (n,) on `rows` (n, D) of all strengths, ``weights`` (c, D), ``intercepts`` (c,).

    They are functions of the rows as they came.
    """
    mean, scale = standard_of(rows)
    standard = ((rows - mean) / scale).astype(np.float32)
    model = LogisticRegression(class_weight="balanced", max_iter=1000, warm_start=True)
    weights, intercepts = [], []
    for strength in STRENGTHS:
        model.set_params(C=strength).fit(standard, pool)
        weights.append(model.coef_[0] / scale)
        intercepts.append(model.intercept_[0] - weights[-1] @ mean)
    return {"weights": torch.from_numpy(np.stack(weights)), "intercepts": torch.tensor(np.array(intercepts))}


def linear(model: Model, d: Tensor) -> Tensor:
    """Return the linear functions of all strengths, (n, c) float64, of descriptors `d` (n, D)."""
    return d.double() @ model["weights"].T + model["intercepts"]
