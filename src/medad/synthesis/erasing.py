"""Square holes in images, which a context encoder learns to fill (Zimmerer et al., arXiv 1812.05941)."""

import math

import torch
from torch import Tensor


def erase_square(images: Tensor, share: float, value: float = -1.0) -> Tensor:
    """Return the images with one square of each set to `value`; every image loses another one.

    Randomness comes from torch's default generator on the images' device.

    Parameters
    ----------
    images : Tensor
        (n, C, S, S).
    share : float
        Of the image's area, in [0, 1]: the side is sqrt(share) S, rounded; all places inside the image are alike.
    value : float
        What stands there in all channels; -1 is black.
    """
    n, size, device = len(images), images.shape[-1], images.device
    side = round(math.sqrt(share) * size)
    start = torch.randint(size - side + 1, (2, n, 1), device=device)
    at = torch.arange(size, device=device)
    rows, columns = (at >= start) & (at < start + side)
    return images.masked_fill((rows[:, :, None] & columns[:, None, :])[:, None], value)
