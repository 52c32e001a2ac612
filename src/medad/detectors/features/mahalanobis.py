"""Mahalanobis' distance from the normal images, on frozen features."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from medad.detectors.contract.plan import Plan
from medad.detectors.features.descriptors import DescriptorDetector
from medad.detectors.features.detector import PRESETS, FeatureOptions
from medad.detectors.features.deviations import deviation_map
from medad.detectors.features.extractors.contract import Maps
from medad.detectors.features.gaussian import gaussian_weights, learn_gaussian, squared_distance


@dataclass(frozen=True)
class MahalanobisOptions(FeatureOptions):
    """Options of the Gaussian."""


class Mahalanobis(DescriptorDetector):
    """Mahalanobis' distance of an image's descriptor from those of the normal images.

    Scores: ``distance``, which is ``pred_score``. The map is exact: what every place contributes to the squared
    distance, which is the map's mean.

    Differs from the paper: Rippel et al. fit one Gaussian to each stage of EfficientNet-B4 and add up the distances;
    here one Gaussian holds the stages of a smaller network together, standardised. They give no maps.

    References
    ----------
    Rippel, Mertens, Merhof, Modeling the distribution of normal data in pre-trained deep features for anomaly
    detection, ICPR 2020; Ledoit and Wolf, JMVA 2004.
    """

    name = "mahalanobis"
    options_type = MahalanobisOptions
    meanings = {
        "distance": "Mahalanobis' distance from the normal images",
        "contribution": "what each place adds to the squared distance",
    }
    random = False
    presets = PRESETS

    @classmethod
    def learn(cls, plan: Plan, normal: np.ndarray, unlabeled: np.ndarray) -> dict[str, Tensor]:
        """Return the Gaussian of the normal images."""
        return learn_gaussian(normal)

    def judge(self, d: Tensor, x: Tensor) -> dict[str, Tensor]:
        """Return the distance."""
        score = squared_distance(self._gaussian, d).sqrt()
        return {"distance": score, "pred_score": score}

    def show(self, maps: Maps, d: Tensor, x: Tensor) -> dict[str, Tensor]:
        """Return what each place contributes."""
        gaussian = self._gaussian
        weights = gaussian_weights(gaussian, d)
        contributions = deviation_map(self.extractor, maps, weights, gaussian["mean"], self.options.size)
        return {"contribution": contributions, "anomaly_map": contributions}

    @property
    def _gaussian(self) -> dict[str, Tensor]:
        return {name: self.learned(name) for name in ("mean", "precision")}
