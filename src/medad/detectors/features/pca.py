"""What principal components of normal images do not explain, on frozen features."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from medad.detectors.contract.plan import Plan
from medad.detectors.contract.ranges import ranged
from medad.detectors.features.components import learn_components, residual
from medad.detectors.features.descriptors import DescriptorDetector
from medad.detectors.features.detector import PIXELS_IN_TESTS, FeatureOptions
from medad.detectors.features.deviations import deviation_map
from medad.detectors.features.extractors.contract import Maps


@dataclass(frozen=True)
class PCAOptions(FeatureOptions):
    """Options of the principal components.

    Attributes
    ----------
    variance : float
        Share of the normal images' variance that the first components hold.
    """

    variance: float = ranged(0.95, 0, 1)


class PCADetector(DescriptorDetector):
    """What the first principal components of the normal images' standardised descriptors leave of an image's.

    Scores: ``residual``, the length of the remainder, which is ``pred_score``. The map is exact: what every place
    contributes to the squared length, which is the map's mean.

    Differs from the paper: Rippel et al. fit components to each stage of EfficientNet-B4 and take Mahalanobis'
    distance within those of least variance; here one set holds the stages of a smaller network together,
    standardised, and what is left counts as it is.

    References
    ----------
    Rippel, Mertens, Merhof, Modeling the distribution of normal data in pre-trained deep features for anomaly
    detection, ICPR 2020.
    """

    name = "pca"
    options_type = PCAOptions
    meanings = {
        "residual": "what the principal components of normal images do not explain",
        "contribution": "what each place adds to the square of that",
    }
    random = False
    presets = PIXELS_IN_TESTS

    @classmethod
    def learn(cls, plan: Plan, normal: np.ndarray, unlabeled: np.ndarray) -> dict[str, Tensor]:
        """Return the components of the normal images."""
        return learn_components(normal, plan.options.variance)

    def judge(self, d: Tensor, x: Tensor) -> dict[str, Tensor]:
        """Return the length of the remainder."""
        score = residual(self._components, d).norm(dim=1)
        return {"residual": score, "pred_score": score}

    def show(self, maps: Maps, d: Tensor, x: Tensor) -> dict[str, Tensor]:
        """Return what each place contributes: the remainder is a projection, so it times the whole is its square."""
        components = self._components
        weights = residual(components, d) / components["scale"]
        contributions = deviation_map(self.extractor, maps, weights, components["mean"], self.options.size)
        return {"contribution": contributions, "anomaly_map": contributions}

    @property
    def _components(self) -> dict[str, Tensor]:
        return {name: self.learned(name) for name in ("mean", "scale", "components")}
