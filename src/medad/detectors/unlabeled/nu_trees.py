"""Normal against unlabeled: randomised trees on frozen features or on small pixels."""

from dataclasses import dataclass

import torch
from sklearn.ensemble import ExtraTreesClassifier
from torch import Tensor

from medad.detectors.contract.division import FoldData
from medad.detectors.contract.plan import Plan
from medad.detectors.contract.ranges import ranged
from medad.detectors.features.detector import PIXELS_IN_TESTS
from medad.detectors.unlabeled.fold_fits import HELD_SCORES
from medad.detectors.unlabeled.forest import packed, probability
from medad.detectors.unlabeled.out_of_fold import Model, OutOfFoldDetector, OutOfFoldOptions

LEAVES = 256  # of a tree at most, so that five forests of 500 stay below 20 MB however many images there are


@dataclass(frozen=True)
class NUTreesOptions(OutOfFoldOptions):
    """Options of the trees.

    Attributes
    ----------
    trees : int
        How many there are in each fold.
    """

    trees: int = ranged(500, 1)


class NUTrees(OutOfFoldDetector):
    """Extremely randomised trees that tell unlabeled from normal images by their descriptors, classes balanced.

    As :class:`medad.detectors.unlabeled.nu.NU`, which says why this finds abnormal images, but not linear. With
    extractor ``pixels`` it sees no more than a picture of 32 x 32 pixels: what it reaches there, a network has to beat.

    Scores: ``nu``, the share of unlabeled images among those that are alike, over all trees, which is ``pred_score``.
    There are no maps.

    Differs from the paper: Geurts et al. let leaves grow until they are pure; here each holds at least a 256th of the
    images, which bounds what has to be stored.

    References
    ----------
    Geurts, Ernst, Wehenkel, Extremely randomized trees, Machine Learning 2006; Elkan and Noto, KDD 2008.
    """

    name = "nu_trees"
    options_type = NUTreesOptions
    fold_name = "nu"
    meanings = {
        "nu": "share of unlabeled images among those that are alike",
        "distance": "distance from the normal images (no unlabeled ones were given)",
    }
    presets = PIXELS_IN_TESTS | {"tiny": PIXELS_IN_TESTS["tiny"] | {"trees": 20}}

    @classmethod
    def learn_fold(cls, plan: Plan, data: FoldData) -> Model:
        """Return the forest."""
        least = -(-len(data.pool) // LEAVES)
        forest = ExtraTreesClassifier(
            plan.options.trees, min_samples_leaf=least, class_weight="balanced", random_state=data.seed % 2**32
        )
        found = packed(forest.fit(data.rows, data.pool))
        return found | {HELD_SCORES: probability(found, torch.from_numpy(data.held))}

    def judge_fold(self, model: Model, d: Tensor) -> Tensor:
        """Return the share."""
        return probability(model, d)
