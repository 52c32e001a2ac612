"""Means and standard deviations over many patches, places or pixels, of any number of images."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from medad.training.fit import Fit

Tensors = dict[str, Tensor]


def moments_fit(name: str, numbers: int, device: torch.device, values: Callable[[Tensor], Tensor]) -> Fit:
    """Return the fit that leaves ``mean`` and ``deviation``, (numbers,) each.

    Parameters
    ----------
    name : str
        Of the fit.
    numbers : int
        Columns.
    device : device
        Where it is computed.
    values : callable
        Indices of images -> rows of them, (any, numbers).
    """
    sums = torch.zeros(2, numbers, dtype=torch.float64, device=device)
    tensors = {"count": torch.zeros((), dtype=torch.float64, device=device), "sums": sums}

    def update(index: Tensor) -> None:
        rows = values(index).double()
        tensors["count"] += len(rows)
        sums.add_(torch.stack([rows.sum(0), rows.square().sum(0)]))

    return Fit(name, tensors, update, _finish)


def standardised(x: Tensor, moments: Mapping[str, Tensor], dim: int = 1) -> Tensor:
    """Return `x` less the mean over the deviation, of the numbers along `dim`; what is constant becomes 0."""
    shape = [-1 if i == dim % x.ndim else 1 for i in range(x.ndim)]
    mean, deviation = moments["mean"], moments["deviation"]
    constant = deviation <= 1e-6 * mean.abs().clamp(min=1e-6)
    inverse = torch.where(constant, 0.0, 1 / torch.where(constant, 1.0, deviation))
    return (x.float() - mean.view(shape)) * inverse.view(shape)


def _finish(tensors: Tensors) -> Tensors:
    mean, square = tensors["sums"] / tensors["count"]
    deviation = (square - mean.square()).clamp(min=0).sqrt()
    return {"mean": mean.float(), "deviation": deviation.float()}
