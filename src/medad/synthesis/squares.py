"""Squares that hide parts of an image from a context encoder (Zimmerer et al., arXiv 1812.05941)."""

import torch
from torch import Tensor


def overwrite_squares(x: Tensor, most: int = 2) -> Tensor:
    """Return the images `x` with none to `most` squares overwritten, each by one value.

    Randomness comes from torch's default generator on the images' device.

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
    count = torch.randint(most + 1, (n, 1), device=device)
    at = torch.arange(size, device=device)
    for i in range(most):
        start = (torch.rand(2, n, 1, device=device) * (size - side + 1)).long()
        rows, columns = (at >= start) & (at < start + side) & (i < count)
        value = 2 * torch.rand(n, 1, 1, 1, device=device) - 1
        x = torch.where((rows[:, :, None] & columns[:, None, :])[:, None], value, x)
    return x
