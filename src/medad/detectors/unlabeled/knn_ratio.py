"""The ratio of densities, unlabeled to normal, by nearest neighbours on frozen features."""

from dataclasses import dataclass

import torch
from torch import Tensor

from medad.detectors.contract.division import FoldData
from medad.detectors.contract.plan import Plan
from medad.detectors.features.detector import PIXELS_IN_TESTS
from medad.detectors.unlabeled.fold_fits import HELD_SCORES
from medad.detectors.unlabeled.neighbours import banks_of, distances, kept
from medad.detectors.unlabeled.out_of_fold import Model, OutOfFoldDetector, OutOfFoldOptions

LEAST = 1e-6  # a distance; equal descriptors are no closer


@dataclass(frozen=True)
class KNNRatioOptions(OutOfFoldOptions):
    """Options of the ratio."""


class KNNRatio(OutOfFoldDetector):
    """How much closer an image lies to unlabeled than to normal images.

    The density at an image goes as the inverse of the distance to its k-th neighbour, to the power of the dimension,
    so the logarithm of the ratio of both densities goes as the difference of the logarithms of both distances.

    Scores: ``ratio``, log of the distance to the 5th nearest normal image less that to the 5th nearest unlabeled one,
    of standardised descriptors, which is ``pred_score``. There are no maps.

    Differs from the paper: Wang et al. estimate a divergence, of which this is the summand, less factors and constants
    that change no rank.

    References
    ----------
    Wang, Kulkarni, Verdú, Divergence estimation for multidimensional densities via k-nearest-neighbor distances, IEEE
    Transactions on Information Theory 2009.
    """

    name = "knn_ratio"
    options_type = KNNRatioOptions
    fold_name = "ratio"
    meanings = {
        "ratio": "how much closer it lies to unlabeled than to normal images",
        "distance": "distance from the normal images (no unlabeled ones were given)",
    }
    presets = PIXELS_IN_TESTS

    @classmethod
    def learn_fold(cls, plan: Plan, data: FoldData) -> Model:
        """Return what the other folds compare with, and the ratios of the images left out."""
        found = kept(data, data.rows)
        normal, unlabeled, held = (torch.from_numpy(part) for part in (data.normal, data.unlabeled, data.held))
        return found | {HELD_SCORES: _ratio(found, held, normal, unlabeled)}

    def judge_fold(self, model: Model, d: Tensor) -> Tensor:
        """Return the ratio."""
        return _ratio(model, d, *banks_of(self._models, model))


def _ratio(model: Model, d: Tensor, normal: Tensor, unlabeled: Tensor) -> Tensor:
    far, near = (distances(model, d, bank)[:, -1].clamp(min=LEAST).log() for bank in (normal, unlabeled))
    return far - near
