"""k nearest neighbours among the normal images, on frozen features."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from medad.detectors.contract.plan import Plan
from medad.detectors.contract.ranges import ranged
from medad.detectors.features.descriptors import DescriptorDetector
from medad.detectors.features.detector import PIXELS_IN_TESTS, FeatureOptions


@dataclass(frozen=True)
class KNNOptions(FeatureOptions):
    """Options of the nearest neighbours.

    Attributes
    ----------
    k : int
        Number of neighbours; all normal images where there are fewer.
    """

    k: int = ranged(5, 1)


class KNN(DescriptorDetector):
    """Distance of an image's standardised descriptor to those of the most similar normal images.

    Scores: ``distance``, the mean Euclidean distance to the k nearest, which is ``pred_score``. There are no maps.

    Differs from the paper: Ramaswamy et al. take the distance to the k-th neighbour alone, in the space that the data
    come in; here it is the mean over all k (Angiulli and Pizzuti), on frozen features. Bergman et al. take k = 2.

    References
    ----------
    Ramaswamy, Rastogi, Shim, SIGMOD 2000; Angiulli and Pizzuti, PKDD 2002; Bergman, Cohen, Hoshen, 2020.
    """

    name = "knn"
    options_type = KNNOptions
    meanings = {"distance": "distance to the most similar normal images"}
    random = False
    presets = PIXELS_IN_TESTS

    @classmethod
    def learn(cls, plan: Plan, normal: np.ndarray, unlabeled: np.ndarray) -> dict[str, Tensor]:
        """Return the descriptors of all normal images, and how they are standardised."""
        mean, scale = normal.mean(0, dtype=np.float64), normal.std(0, dtype=np.float64)
        scale[scale <= 1e-6 * np.maximum(np.abs(mean), 1e-6)] = np.inf  # a constant has no say
        bank = (normal - mean) / scale
        found = {"mean": mean, "scale": scale, "bank": bank}
        return {name: torch.from_numpy(value.astype(np.float32)) for name, value in found.items()}

    def judge(self, d: Tensor, x: Tensor) -> dict[str, Tensor]:
        """Return the mean distance to the nearest normal images."""
        bank, standard = self.learned("bank"), (d - self.learned("mean")) / self.learned("scale")
        # Differences, not products: an image must not score otherwise in another batch.
        distances = torch.cdist(standard, bank, compute_mode="donot_use_mm_for_euclid_dist")
        score = distances.topk(min(self.options.k, len(bank)), largest=False).values.mean(1)
        return {"distance": score, "pred_score": score}
