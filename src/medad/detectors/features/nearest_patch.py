"""The nearest of many normal places, on frozen features."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from medad.detectors.contract.summaries import MEANINGS
from medad.detectors.features.nearest_rows import nearest
from medad.detectors.features.sampled import SampledDetector


class NearestPatch(SampledDetector):
    """Distance of every place from the most similar of many random places of normal images.

    Scores: ``max`` of the map, which is ``pred_score``, as small defects ask for; ``mean`` and ``top``, which suit
    images where much changes a little.

    Differs from the paper: Bergmann et al. compare descriptors of a teacher of their own and give no settings; here
    they are two stages of a frozen network, standardised, by their principal components.

    References
    ----------
    Bergmann, Fauser, Sattlegger, Steger, Uninformed students, CVPR 2020, table 1 (1-NN).
    """

    name = "nearest_patch"
    meanings = MEANINGS | {"anomaly_map": "distance of each place from the most similar normal place"}

    @classmethod
    def estimate(cls, options: Any, rows: np.ndarray, seed: int) -> dict[str, Tensor]:
        """Return the places themselves."""
        return {"bank": torch.from_numpy(rows.astype(np.float32))}

    def distances(self, rows: Tensor) -> Tensor:
        """Return the distances to the nearest of them."""
        return nearest(rows, self.learned("bank"))[0][:, 0]
