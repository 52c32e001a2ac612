"""A one-class support vector machine of normal places, on frozen features."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn.svm import OneClassSVM
from torch import Tensor

from medad.detectors.contract.ranges import ranged
from medad.detectors.contract.summaries import MEANINGS
from medad.detectors.features.sampled import SampledDetector, SampledOptions


@dataclass(frozen=True)
class OCSVMOptions(SampledOptions):
    """Options of the support vector machine.

    Attributes
    ----------
    nu : float
        Highest share of the learned places that may lie outside.
    """

    samples: int = 5_000
    nu: float = ranged(0.1, 1e-6, 1)


class OCSVM(SampledDetector):
    """How far outside the region of normal places every place lies, by a one-class SVM with Gaussian kernels.

    Scores: ``max`` of the map, which is ``pred_score``, as small defects ask for; ``mean`` and ``top``, which suit
    images where much changes a little. Values below zero are inside.

    Differs from the paper: Bergmann et al. learn from descriptors of a teacher of their own and give no settings;
    here they are two stages of a frozen network, standardised, by their principal components, and the kernel's width
    is the mean distance that they have.

    References
    ----------
    Schölkopf, Platt, Shawe-Taylor, Smola, Williamson, Estimating the support of a high-dimensional distribution,
    Neural Computation 2001; Bergmann, Fauser, Sattlegger, Steger, Uninformed students, CVPR 2020, table 1.
    """

    name = "ocsvm"
    options_type = OCSVMOptions
    meanings = MEANINGS | {"anomaly_map": "how far outside the region of normal places each place lies"}

    @classmethod
    def estimate(cls, options: Any, rows: np.ndarray, seed: int) -> dict[str, Tensor]:
        """Return the support vectors with their weights, the kernel's width and the offset."""
        variance = rows.var()
        gamma = 1 / (rows.shape[1] * variance) if variance else 1.0  # scikit-learn's "scale"
        model = OneClassSVM(nu=options.nu, gamma=gamma).fit(rows)
        found = {"support": model.support_vectors_, "dual": model.dual_coef_[0], "offset": model.intercept_}
        return {name: torch.tensor(value) for name, value in found.items()} | {
            "gamma": torch.tensor([gamma], dtype=torch.float64)
        }

    def distances(self, rows: Tensor) -> Tensor:
        """Return the decision function, turned round."""
        return -decision({name: self.learned(name) for name in ("support", "dual", "offset", "gamma")}, rows)


def decision(machine: dict[str, Tensor], rows: Tensor) -> Tensor:
    """Return the decision function, (n,), positive inside, of `rows` (n, p) float64."""
    squares = torch.cdist(rows, machine["support"]).square()
    return torch.exp(-machine["gamma"] * squares) @ machine["dual"] + machine["offset"]
