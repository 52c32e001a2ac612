"""The nearest of a few centres of normal places, on frozen features."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor

from medad.detectors.contract.ranges import ranged
from medad.detectors.contract.summaries import MEANINGS
from medad.detectors.features.nearest_rows import nearest
from medad.detectors.features.sampled import SampledDetector, SampledOptions

STARTS = 3  # runs of the algorithm, of which the best is taken


@dataclass(frozen=True)
class KMeansOptions(SampledOptions):
    """Options of the centres.

    Attributes
    ----------
    clusters : int
        Their number.
    """

    clusters: int = ranged(10, 1)


class KMeansDetector(SampledDetector):
    """Distance of every place from the nearest centre of normal places, which K-Means has found.

    Scores: ``max`` of the map, which is ``pred_score``, as small defects ask for; ``mean`` and ``top``, which suit
    images where much changes a little.

    Differs from the paper: Bergmann et al. cluster descriptors of a teacher of their own and give no settings; here
    they are two stages of a frozen network, standardised, by their principal components.

    References
    ----------
    Bergmann, Fauser, Sattlegger, Steger, Uninformed students, CVPR 2020, table 1.
    """

    name = "kmeans"
    options_type = KMeansOptions
    meanings = MEANINGS | {"anomaly_map": "distance of each place from the nearest centre of normal places"}

    @classmethod
    def estimate(cls, options: Any, rows: np.ndarray, seed: int) -> dict[str, Tensor]:
        """Return the centres."""
        model = KMeans(min(options.clusters, len(rows)), n_init=STARTS, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # fewer different rows than centres: some are alike
            return {"centres": torch.from_numpy(model.fit(rows).cluster_centers_)}

    def distances(self, rows: Tensor) -> Tensor:
        """Return the distances to the nearest centres."""
        return nearest(rows, self.learned("centres"))[0][:, 0]
