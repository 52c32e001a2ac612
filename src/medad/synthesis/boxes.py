"""Boxes in images, one per image: what lies in them, and how it is moved."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F


class Boxes(NamedTuple):
    """Rectangles, one per image: the first pixel and the length along both axes, each (2, n) ``int64``."""

    first: Tensor
    length: Tensor


def inside(boxes: Boxes, size: int) -> Tensor:
    """Return the pixels of `boxes`, (n, S, S) ``bool``, S being `size`."""
    at = torch.arange(size, device=boxes.first.device)
    first, last = boxes.first[..., None], (boxes.first + boxes.length)[..., None]
    rows, columns = (at >= first) & (at < last)
    return rows[:, :, None] & columns[:, None, :]


def move(x: Tensor, box: Boxes, place: Boxes) -> Tensor:
    """Return `x`, (n, C, S, S), moved and resampled, bilinearly, such that `box` fills `place`; exact if as long."""
    at = torch.arange(x.shape[-1], device=x.device)
    longest = (box.length - 1).clamp(min=0)[..., None]
    ratio = (box.length / place.length.clamp(min=1))[..., None]
    within = torch.minimum((at - place.first[..., None] + 0.5) * ratio - 0.5, longest).clamp(min=0)
    rows, columns = within + box.first[..., None]
    return _lines(_lines(x, rows[:, None, :, None], 2), columns[:, None, None, :], 3)


def _lines(x: Tensor, where: Tensor, dim: int) -> Tensor:
    """Return the lines of `x` along `dim` at `where`, linearly between two."""
    last = x.shape[dim] - 1
    before = where.floor().long().clamp(max=last)
    after = (before + 1).clamp(max=last)
    shape = torch.broadcast_shapes(x.shape, where.shape)
    weight = (where - before).to(x.dtype)
    return torch.lerp(x.gather(dim, before.expand(shape)), x.gather(dim, after.expand(shape)), weight)


def count_inside(masks: Tensor, first: Tensor, last: Tensor) -> Tensor:
    """Return how many pixels of `masks` lie in boxes, (attempts, n), from the sums of all that is above and left."""
    sums = F.pad(masks.cumsum(1, dtype=torch.int32).cumsum(2, dtype=torch.int32), (1, 0, 1, 0))
    image = torch.arange(len(masks), device=masks.device)
    (top, left), (bottom, right) = first.unbind(1), last.unbind(1)
    return sums[image, bottom, right] - sums[image, top, right] - sums[image, bottom, left] + sums[image, top, left]
