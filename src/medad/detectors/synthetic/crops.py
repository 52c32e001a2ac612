"""Crops of images as shares of their side, and back (Schlueter et al., ECCV 2022: 224 pixels of 256).

Randomness comes from torch's default generator on the images' device.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

CROP = 224 / 256  # side of the crop, as a share of the image's
MOST_SHIFT = 3 / 256  # of the crop's centre, as a share of the side: it lies inside the middle 230 of 256 pixels
MOST_DEGREES = 3.0  # of rotation


def turned_crop(x: Tensor) -> Tensor:
    """Return a randomly rotated and shifted crop of each image, pixels taken from the nearest place.

    Parameters
    ----------
    x : Tensor
        (n, C, S, S).

    Returns
    -------
    Tensor
        (n, C, s, s), s = 7/8 S: rotated by -3 to 3 degrees, shifted by up to 3/256 S along each axis.
    """
    n, side = len(x), cropped_side(x.shape[-1])
    angle = torch.empty(n, device=x.device).uniform_(-MOST_DEGREES, MOST_DEGREES).deg2rad()
    shift = torch.empty(n, 2, device=x.device).uniform_(-2 * MOST_SHIFT, 2 * MOST_SHIFT)  # the side counts as 2
    cos, sin = CROP * angle.cos(), CROP * angle.sin()
    turn = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
    grid = F.affine_grid(torch.cat([turn, shift[:, :, None]], 2), [n, 1, side, side], align_corners=False)
    return F.grid_sample(x, grid, mode="nearest", align_corners=False)


def centre_crop(x: Tensor) -> Tensor:
    """Return the middle of images (n, C, S, S), (n, C, s, s), s = 7/8 S."""
    size = x.shape[-1]
    edge = (size - cropped_side(size)) // 2
    return x[..., edge : size - edge, edge : size - edge]


def padded(maps: Tensor, size: int) -> Tensor:
    """Return maps of the middle (n, s, s) as maps of the image, (n, size, size), zero around."""
    edge = (size - maps.shape[-1]) // 2
    return F.pad(maps, [edge] * 4)


def cropped_side(size: int) -> int:
    """Return the side of the crop of an image of side `size`; as this is a multiple of 16, both edges are equal."""
    return math.floor(CROP * size)
