"""CutPaste's Gaussian density estimator: how far the direction of a descriptor is from those of normal images.

Li, Sohn, Yoon, Pfister, CutPaste, CVPR 2021, section 2.2: a Gaussian of descriptors of length one. As in the public
code its covariance is shrunk by Ledoit's and Wolf's estimate, of the descriptors as they are.
"""

import numpy as np
from torch import Tensor
from torch.nn import functional as F

from medad.detectors.features.gaussian import Gaussian, learn_gaussian, squared_distance

SHORTEST = 1e-12  # a descriptor that is shorter has no direction and stays as it is


def learn_density(rows: np.ndarray) -> dict[str, Tensor]:
    """Return the Gaussian of the directions of descriptors, `rows` (n, D): ``mean`` (D,), ``precision`` (D, D)."""
    x = rows.astype(np.float64)
    return learn_gaussian(x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), SHORTEST), standardise=False)


def density_distance(density: Gaussian, d: Tensor) -> Tensor:
    """Return Mahalanobis' distances, (n,) float64, of the directions of descriptors (n, D).

    They rank as the negative log density does: half their square is it, but for a constant.
    """
    return squared_distance(density, F.normalize(d.double(), eps=SHORTEST)).sqrt()
