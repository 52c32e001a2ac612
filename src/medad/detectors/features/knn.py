"""k nearest neighbours among the normal images."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from medad.detectors.contract.one_fit import OneFitDetector
from medad.detectors.contract.options import Options
from medad.detectors.contract.ranges import ranged
from medad.training.fit import Fit
from medad.training.pixels import Pixels

SIDE = 32  # pixels of an image as it is compared


@dataclass(frozen=True)
class KNNOptions(Options):
    """Options of the nearest neighbours.

    Attributes
    ----------
    k : int
        Number of neighbours; all normal images where there are fewer.
    """

    k: int = ranged(5, 1)


class KNN(OneFitDetector):
    """Distance to the most similar normal images, compared at 32 x 32 pixels.

    Scores: ``distance``, the mean Euclidean distance to the k nearest, which is ``pred_score``. The map is the mean
    squared difference from them, enlarged.

    Differs from the paper: Ramaswamy et al. take the distance to the k-th neighbour alone, in the space that the data
    come in; here it is the mean over all k (Angiulli and Pizzuti), of images made smaller.

    References
    ----------
    Ramaswamy, Rastogi, Shim, SIGMOD 2000; Angiulli and Pizzuti, PKDD 2002.
    """

    name = "knn"
    options_type = KNNOptions
    meanings = {"distance": "distance to the most similar normal images", "difference": "difference from them"}
    random = False
    presets = {"paper": {}, "standard": {"holdout": 0.1}, "quick": {}, "tiny": {}}

    @classmethod
    def learn(cls, options: Any, images: Pixels) -> Fit:
        """Return the fit that keeps every normal image, small."""
        bank = torch.zeros(len(images), options.channels * SIDE**2, device=images.device)

        def update(index: Tensor) -> None:
            bank[index] = _small(images(index))

        return Fit(cls.name, {"bank": bank}, update)

    def analyse(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return distance and difference to the nearest normal images."""
        bank, small = self.learned("bank"), _small(x)
        # Differences, not products: an image must not score otherwise in another batch.
        distances = torch.cdist(small, bank, compute_mode="donot_use_mm_for_euclid_dist")
        nearest = distances.topk(min(self.options.k, len(bank)), largest=False)
        score = nearest.values.mean(1)
        difference = (small[:, None] - bank[nearest.indices]).square().mean(1).unflatten(1, (-1, SIDE, SIDE))
        enlarged = F.interpolate(difference.mean(1, keepdim=True), x.shape[-1], mode="bilinear").squeeze(1)
        return {"distance": score, "pred_score": score}, {"difference": enlarged, "anomaly_map": enlarged}


def _small(x: Tensor) -> Tensor:
    """Return images (n, C, S, S) as rows of their block means, (n, C * 32 * 32)."""
    return F.interpolate(x.contiguous(), SIDE, mode="area").flatten(1)
