"""Squares that hide parts of an image, which a context encoder learns to fill (Zimmerer et al., arXiv 1812.05941).

Randomness comes from torch's default generator on the images' device.
"""

import math

import torch
from torch import Tensor


def overwrite_squares(x: Tensor, most: int = 2) -> Tensor:
    """Return the images `x` with none to `most` squares overwritten, each by one value.

    Parameters
    ----------
    x : Tensor
        (n, C, S, S) in [-1, 1].
    most : int
        Largest number of squares of an image; they are all equally large: the side is an integer in [0, S / 2).

    Returns
    -------
    Tensor
        (n, C, S, S); every square lies inside its image and has a value from [-1, 1] of its own, the same in
        all channels.
    """
    n, size, device = len(x), x.shape[-1], x.device
    side = torch.randint(size // 2, (n, 1), device=device)
    count = torch.randint(most + 1, (n, 1, 1, 1), device=device)
    for i in range(most):
        start = (torch.rand(2, n, 1, device=device) * (size - side + 1)).long()
        value = 2 * torch.rand(n, 1, 1, 1, device=device) - 1
        x = torch.where(_inside(start, side, size) & (i < count), value, x)
    return x


def erase_square(x: Tensor, share: float, value: float = -1.0) -> Tensor:
    """Return the images `x` with one square of each set to `value`; every image loses another one.

    Parameters
    ----------
    x : Tensor
        (n, C, S, S).
    share : float
        Of the image's area, in [0, 1]: the side is sqrt(share) S, rounded; all places inside the image are alike.
    value : float
        What stands there in all channels; -1 is black.
    """
    n, size = len(x), x.shape[-1]
    side = round(math.sqrt(share) * size)
    start = torch.randint(size - side + 1, (2, n, 1), device=x.device)
    return x.masked_fill(_inside(start, side, size), value)


def _inside(start: Tensor, side: Tensor | int, size: int) -> Tensor:
    """Return (n, 1, S, S), true in the squares of `side` whose first rows and columns are `start`, (2, n, 1)."""
    at = torch.arange(size, device=start.device)
    rows, columns = (at >= start) & (at < start + side)
    return (rows[:, :, None] & columns[:, None, :])[:, None]
