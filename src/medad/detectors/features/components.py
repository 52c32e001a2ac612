"""Principal components of standardised descriptors."""

from collections.abc import Mapping

import numpy as np
import torch
from sklearn.decomposition import PCA
from torch import Tensor

Components = Mapping[str, Tensor]


def learn_components(rows: np.ndarray, variance: float) -> dict[str, Tensor]:
    """Return how `rows` (n, D) are standardised, and the first components that hold so much of their variance.

    Returns
    -------
    dict
        ``mean`` and ``scale``, (D,), and ``components``, (p, D) with rows of length one, all float64. A number that
        is constant has an infinite scale: it has no say.
    """
    x = rows.astype(np.float64)
    mean, scale = x.mean(0), x.std(0)
    scale[scale <= 1e-6 * np.maximum(np.abs(mean), 1e-6)] = np.inf
    with np.errstate(invalid="ignore"):  # the shares of a variance of zero, which are not looked at
        fitted = PCA(svd_solver="full").fit((x - mean) / scale)
    held = np.cumsum(fitted.explained_variance_)
    count = min(int((held < variance * held[-1]).sum()) + 1, len(held))
    found = {"mean": mean, "scale": scale, "components": fitted.components_[:count]}
    return {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in found.items()}


def standardised(components: Components, d: Tensor) -> Tensor:
    """Return descriptors (n, D) standardised, float64."""
    return (d.double() - components["mean"]) / components["scale"]


def projected(components: Components, d: Tensor) -> Tensor:
    """Return descriptors (n, D) standardised and by their components, (n, p) float64."""
    return standardised(components, d) @ components["components"].T


def residual(components: Components, d: Tensor) -> Tensor:
    """Return what the components leave of the standardised descriptors, (n, D) float64."""
    return standardised(components, d) - projected(components, d) @ components["components"]
