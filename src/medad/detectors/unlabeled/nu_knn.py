"""One-class and normal against unlabeled together."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from medad.detectors.contract.division import FoldData
from medad.detectors.contract.plan import Plan
from medad.detectors.features.detector import PIXELS_IN_TESTS
from medad.detectors.unlabeled.fold_fits import HELD_SCORES
from medad.detectors.unlabeled.neighbours import banks_of, distances, kept
from medad.detectors.unlabeled.nu import linear, regressions
from medad.detectors.unlabeled.out_of_fold import Model, OutOfFoldDetector, OutOfFoldOptions
from medad.detectors.unlabeled.tails import surprise, tail_of

PARTS = ("nu", "distance")


@dataclass(frozen=True)
class NUKNNOptions(OutOfFoldOptions):
    """Options of both together."""


class NUKNN(OutOfFoldDetector):
    """What is surprising among normal images either by the regression of `nu` or by the distance of `knn`.

    The regression finds what the unlabeled images hold, the distance also what they do not. Each score is turned into
    the probability that a normal image has one as high, on the out-of-fold scores of the normal images, and the
    smaller probability counts, times two since there were two to choose from: an image is abnormal if it is so in
    either way, and twice the smaller of two probabilities is a probability again however they depend on each other.
    The mean of ranks would let what one score cannot see weaken what the other sees.

    Scores: ``nu`` and ``distance``, the parts, and ``surprise``, -log10 of the combined probability, which is
    ``pred_score``. Beyond all normal images it goes on as an exponential tail does: there it ranks, and is no
    guarantee. There are no maps.

    Differs from the paper: Tippett's smallest p-value, with Bonferroni's factor; scores of folds are taken for those of
    one model, as in cross-conformal prediction (Vovk), and a new image has the mean over the folds.

    References
    ----------
    Tippett, The methods of statistics, 1931; Vovk, Cross-conformal predictors, Annals of Mathematics and Artificial
    Intelligence 2015; Elkan and Noto, KDD 2008; Angiulli and Pizzuti, PKDD 2002.
    """

    name = "nu_knn"
    options_type = NUKNNOptions
    fold_name = "surprise"
    meanings = {
        "nu": "how much more it is like the unlabeled than like the normal images",
        "distance": "distance from the most similar normal images",
        "surprise": "how improbable among normal images, by the more surprising of both",
    }
    presets = PIXELS_IN_TESTS

    @classmethod
    def learn_fold(cls, plan: Plan, data: FoldData) -> Model:
        """Return regressions of all strengths, and what the distances of other folds need."""
        found, held = regressions(data.rows, data.pool) | kept(data, data.normal), torch.from_numpy(data.held)
        far = distances(found, held, torch.from_numpy(data.normal)).mean(1, keepdim=True)
        return found | {HELD_SCORES: torch.cat([linear(found, held), far], 1)}

    @classmethod
    def choose(cls, aucs: np.ndarray) -> int:
        """Return the best strength; the last column is the distance."""
        return super().choose(aucs[:, :-1])

    @classmethod
    def conclude(cls, held: np.ndarray, pool: np.ndarray, chosen: int) -> tuple[np.ndarray, Model]:
        """Return the combined scores, and the tails of both among the normal images."""
        parts = dict(zip(PARTS, torch.from_numpy(held[:, [chosen, -1]]).T, strict=True))
        tails = {f"{part}.{n}": t for part in PARTS for n, t in tail_of(parts[part][pool == 0]).items()}
        return combined(tails, parts).numpy(), tails

    def judge(self, d: Tensor, x: Tensor) -> dict[str, Tensor]:
        """Return both parts and what they are together."""
        if not self._models:
            return super().judge(d, x)
        judges = {"nu": self.judge_fold, "distance": self._far}
        parts = {part: self.over_folds(judges[part], d, x) for part in PARTS}
        score = combined(self._part(self.name), parts)
        return parts | {self.fold_name: score, "pred_score": score}

    def judge_fold(self, model: Model, d: Tensor) -> Tensor:
        """Return the linear function."""
        return linear(model, d)[:, self.chosen]

    def _far(self, model: Model, d: Tensor) -> Tensor:
        return distances(model, d, banks_of(self._models, model)[0]).mean(1)


def combined(tails: Model, parts: dict[str, Tensor]) -> Tensor:
    """Return -log10 of twice the smaller probability, (n,), of the `parts`, (n,) each."""
    found = [surprise({n: tails[f"{part}.{n}"] for n in ("known", "start", "scale")}, parts[part]) for part in PARTS]
    return torch.maximum(*found) - math.log10(2)
