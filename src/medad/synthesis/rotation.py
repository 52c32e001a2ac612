"""Images turned around their middle."""

import torch
from torch import Tensor
from torch.nn import functional as F


def rotated(x: Tensor, degrees: Tensor, fill: float = 0.0) -> Tensor:
    """Return images turned, bilinearly.

    Parameters
    ----------
    x : Tensor
        (n, C, S, S).
    degrees : Tensor
        (n,), positive against the clock.
    fill : float
        What stands where there was no image.
    """
    angle = degrees.deg2rad()
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    turn = torch.stack([cos, -sin, zero, sin, cos, zero], 1).view(-1, 2, 3)
    grid = F.affine_grid(turn, list(x.shape), align_corners=False)
    return F.grid_sample(x - fill, grid, align_corners=False) + fill


def random_degrees(n: int, most: float, device: torch.device) -> Tensor:
    """Draw n angles, uniform from -`most` to `most` degrees, from torch's default generator."""
    return most * (2 * torch.rand(n, device=device) - 1)
