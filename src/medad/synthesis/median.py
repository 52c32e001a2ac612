"""Median filters: of masks, and of values within a disk; beyond the border the nearest pixel counts."""

from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as F


def majority(masks: Tensor, side: int) -> Tensor:
    """Return where most of the `side` x `side` window is true: the median of a mask.

    Parameters
    ----------
    masks : Tensor
        (n, H, W) ``bool``.
    side : int
        Odd, at most 15.

    Returns
    -------
    Tensor
        (n, H, W) ``bool``.
    """
    count = masks.byte()
    for dim in (1, 2):
        size = count.shape[dim]
        near = torch.arange(-(side // 2), size + side // 2, device=masks.device).clamp(0, size - 1)
        wide = count.index_select(dim, near)
        count = sum((wide.narrow(dim, i, size) for i in range(side)), torch.zeros_like(count))
    return count > side * side // 2


def disk_median(values: Tensor, where: Tensor, radius: int) -> Tensor:
    """Return the median of the disk around each pixel of `where`, and 0 elsewhere.

    Parameters
    ----------
    values : Tensor
        (n, H, W).
    where : Tensor
        (n, H, W) ``bool``.
    radius : int
        The disk holds the pixels with dx^2 + dy^2 <= radius^2.

    Returns
    -------
    Tensor
        (n, H, W).
    """
    found = torch.zeros_like(values)
    disk = _disk(radius).to(values.device)
    padded = F.pad(values[:, None], [radius] * 4, mode="replicate")[:, 0]
    for value, mask, wide in zip(found, where, padded, strict=True):  # all at once would take a gigabyte
        rows, columns = mask.nonzero().T
        value[rows, columns] = wide[rows[:, None] + disk[0], columns[:, None] + disk[1]].median(1).values
    return found


@cache
def _disk(radius: int) -> Tensor:
    """Return the rows and the columns, (2, k), of a disk within its square of 2 radius + 1 pixels."""
    at = torch.arange(-radius, radius + 1)
    return (at[:, None] ** 2 + at**2 <= radius**2).nonzero().T
