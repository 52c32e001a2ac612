"""Filters for anomaly maps, in the forms of the public codes."""

import torch
from torch import Tensor
from torch.nn import functional as F


def gaussian_filter(maps: Tensor, size: int, sigma: float = 3.0) -> Tensor:
    """Return Gaussian means; beyond the border the maps are zero (Zimmerer et al.'s ``smooth_tensor``).

    Parameters
    ----------
    maps : Tensor
        (n, C, H, W).
    size : int
        Side of the window, pixels; an even one counts as the odd one below it.
    sigma : float
        Standard deviation, pixels.
    """
    size -= size % 2 == 0
    kernel = torch.signal.windows.gaussian(size, std=sigma, device=maps.device, dtype=maps.dtype)
    kernel, channels = kernel / kernel.sum(), maps.shape[1]
    columns = F.conv2d(maps, kernel.expand(channels, 1, -1).unsqueeze(3), padding=(size // 2, 0), groups=channels)
    return F.conv2d(columns, kernel.expand(channels, 1, 1, -1), padding=(0, size // 2), groups=channels)


def median_filter(maps: Tensor, size: int) -> Tensor:
    """Return the medians of all windows of `size` (odd) pixels; the maps, (n, C, H, W), are mirrored at the border."""
    windows = F.pad(maps, [size // 2] * 4, mode="reflect").unfold(2, size, 1).unfold(3, size, 1)
    return windows.flatten(-2).median(dim=-1).values
