"""Coarse Gaussian noise, which a denoising autoencoder learns to remove (Kascenas et al., MIDL 2022)."""

import torch
from torch import Tensor
from torch.nn import functional as F


def coarse_noise(x: Tensor, std: float = 0.2, cells: int = 16, together: int = 1) -> Tensor:
    """Return noise for the images `x`: normal on a coarse grid, bilinear between, cyclically shifted at random.

    Randomness comes from torch's default generator on the images' device.

    Parameters
    ----------
    x : Tensor
        (n, C, S, S); only its shape counts.
    std : float
        Standard deviation at the points of the grid.
    cells : int
        Points of the grid along a side; the outermost lie on the border.
    together : int
        How many consecutive images, a batch, share a shift (in both axes, from 0 to S - 1 each).

    Returns
    -------
    Tensor
        (n, C, S, S), different for every channel.
    """
    n, channels, size = x.shape[:3]
    grid = std * torch.randn(n, channels, cells, cells, device=x.device)
    noise = F.interpolate(grid, size=(size, size), mode="bilinear", align_corners=True)
    shift = torch.randint(size, (2, -(-n // together)), device=x.device).repeat_interleave(together, dim=1)[:, :n]
    rows, columns = (torch.arange(size, device=x.device) - shift[..., None]) % size
    image = torch.arange(n, device=x.device)
    return noise[image[:, None, None], :, rows[:, :, None], columns[:, None, :]].movedim(-1, 1)


def foreground(x: Tensor, above: float | None) -> Tensor:
    """Return where an image is more than background, (n, 1, S, S) ``bool``.

    Parameters
    ----------
    x : Tensor
        (n, C, S, S) in [-1, 1].
    above : float or None
        A pixel counts if its channels together exceed the image's minimum by more than this share of the range of
        one; with None every pixel does.
    """
    excess = (x - x.amin((1, 2, 3), keepdim=True)).sum(1, keepdim=True)
    return torch.ones_like(excess, dtype=torch.bool) if above is None else excess > 2 * above


def eroded(mask: Tensor) -> Tensor:
    """Return where over 0.95 of the 5 x 5 window is in `mask`, (n, 1, S, S) ``bool``; outside the image nothing is."""
    return F.avg_pool2d(mask.float(), 5, stride=1, padding=2) > 0.95
