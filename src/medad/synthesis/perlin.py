"""Perlin's gradient noise, as DRAEM cuts its masks from (Perlin, SIGGRAPH 1985 and 2002).

Randomness comes from torch's default generator on the device.
"""

import math

import torch
from torch import Tensor

from medad.synthesis.rotation import random_degrees, rotated

MOST_CELLS = 32
OCTAVES = 6  # cells along a side are a power of two, from 1 to 32
THRESHOLD = 0.5
MOST_DEGREES = 90


def perlin_noise(cells: Tensor, size: int) -> Tensor:
    """Return Perlin noise, (n, S, S), of standard deviation about 0.3, zero at the corners of its cells.

    Parameters
    ----------
    cells : Tensor
        (2, n) integers from 1 to 32: how many of them there are in a column and in a row of each image.
    size : int
        S.
    """
    n, device = cells.shape[1], cells.device
    angle = 2 * math.pi * torch.rand(n, MOST_CELLS + 1, MOST_CELLS + 1, device=device)
    gradient = torch.stack([angle.cos(), angle.sin()])
    position = torch.arange(size, device=device) * cells[..., None] / size
    corner = position.floor()
    within = position - corner
    row, column = corner.long()
    image = torch.arange(n, device=device)[:, None, None]

    def slope(down: int, right: int) -> Tensor:
        along = gradient[:, image, (row + down)[:, :, None], (column + right)[:, None, :]]
        return along[0] * (within[0] - down)[:, :, None] + along[1] * (within[1] - right)[:, None, :]

    fade_down, fade_right = _fade(within[0])[:, :, None], _fade(within[1])[:, None, :]
    above = torch.lerp(slope(0, 0), slope(0, 1), fade_right)
    below = torch.lerp(slope(1, 0), slope(1, 1), fade_right)
    return math.sqrt(2) * torch.lerp(above, below, fade_down)


def perlin_masks(n: int, size: int, device: torch.device) -> Tensor:
    """Return DRAEM's masks, (n, S, S) ``bool``: where noise of random cells, turned by up to 90 degrees, is over 0.5.

    Some are empty.
    """
    noise = perlin_noise(2 ** torch.randint(OCTAVES, (2, n), device=device), size)
    return rotated(noise[:, None], random_degrees(n, MOST_DEGREES, device))[:, 0] > THRESHOLD


def _fade(t: Tensor) -> Tensor:
    return t**3 * (10 + t * (6 * t - 15))
