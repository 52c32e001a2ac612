"""The Gaussian of descriptors, its covariance shrunk by Ledoit's and Wolf's estimate."""

from collections.abc import Mapping

import numpy as np
import torch
from sklearn.covariance import LedoitWolf
from torch import Tensor

Gaussian = Mapping[str, Tensor]


def learn_gaussian(rows: np.ndarray, standardise: bool = True) -> dict[str, Tensor]:
    """Return ``mean`` (D,) and ``precision`` (D, D), float64, of `rows` (n, D), in their own units.

    Parameters
    ----------
    rows : ndarray
        Descriptors, one a row.
    standardise : bool
        Whether the covariance is shrunk with all numbers at variance one, so that their units do not count; a
        number that is constant then has no say. Rows that are all alike are at no distance from anything. Two rows
        tell the mean variance alone: of them the estimate would shrink nothing, and leave a singular matrix.
    """
    x = rows.astype(np.float64)
    mean, scale = x.mean(0), x.std(0) if standardise else np.ones(x.shape[1])
    constant = scale <= 1e-12 * np.maximum(np.abs(mean), 1e-12)
    inverse = np.where(constant, 0.0, 1 / np.where(constant, 1.0, scale))
    fitted = LedoitWolf(store_precision=False, assume_centered=True).fit((x - mean) * inverse)
    if not fitted.covariance_.any():
        return {"mean": torch.from_numpy(mean), "precision": torch.zeros(len(mean), len(mean), dtype=torch.float64)}
    shrunk = fitted.covariance_ if len(x) > 2 else np.eye(len(mean)) * np.trace(fitted.covariance_) / len(mean)
    covariance = torch.from_numpy(shrunk + np.diag(constant.astype(np.float64)))
    precision = torch.cholesky_inverse(torch.linalg.cholesky(covariance)).numpy() * inverse[:, None] * inverse
    return {"mean": torch.from_numpy(mean), "precision": torch.from_numpy(precision)}


def squared_distance(gaussian: Gaussian, d: Tensor) -> Tensor:
    """Return the squared Mahalanobis distances, (n,) float64, of descriptors (n, D)."""
    return ((d.double() - gaussian["mean"]) * gaussian_weights(gaussian, d)).sum(1).clamp(min=0)


def gaussian_weights(gaussian: Gaussian, d: Tensor) -> Tensor:
    """Return the weights (n, D) by which each descriptor's deviations make up its squared distance."""
    return (d.double() - gaussian["mean"]) @ gaussian["precision"]
