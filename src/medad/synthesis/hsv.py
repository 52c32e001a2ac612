"""RGB as hue, saturation and value, and back."""

import torch
from torch import Tensor


def to_hsv(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return hue, in turns from 0 to 1, saturation and value of RGB images (n, 3, H, W) in [0, 1]: (n, H, W) each.

    The hue of grey is 0.
    """
    red, green, blue = x.unbind(1)
    value, low = x.amax(1), x.amin(1)
    spread = value - low
    safe = torch.where(spread > 0, spread, 1.0)
    of_green = torch.where(value == green, 2 + (blue - red) / safe, 4 + (red - green) / safe)
    sixths = torch.where(value == red, (green - blue) / safe, of_green)
    hue = torch.where(spread > 0, sixths / 6 % 1, 0.0)
    return hue, torch.where(value > 0, spread / value.clamp(min=1e-12), 0.0), value


def from_hsv(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """Return RGB images (n, 3, H, W); a hue counts without its whole turns."""
    position = torch.stack([shift + 6 * hue for shift in (5, 3, 1)], 1) % 6
    weight = torch.minimum(position, 4 - position).clamp(0, 1)
    return value[:, None] * (1 - saturation[:, None] * weight)
