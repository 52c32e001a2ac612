"""Slight random changes of brightness, contrast, saturation and hue."""

import torch
from torch import Tensor

from medad.data.preprocessing import GREY
from medad.synthesis.hsv import from_hsv, to_hsv


def luminance(x: Tensor) -> Tensor:
    """Return images (n, C, H, W) as grey, (n, 1, H, W), by ITU-R 601's weights."""
    if x.shape[1] == 1:
        return x
    weights = torch.from_numpy(GREY).to(x).view(-1, 1, 1)
    return (x * weights).sum(1, keepdim=True)


def jitter_colours(x: Tensor, strength: float = 0.1, inside: Tensor | None = None) -> Tensor:
    """Change the colours of images a little, each by factors of its own.

    Brightness and contrast, of RGB images also saturation, are multiplied by 1 - `strength` to 1 + `strength`, and
    hues turned by up to `strength` of the circle, in this order, where torchvision's ``ColorJitter`` draws one.
    Randomness comes from torch's default generator on the images' device.

    Parameters
    ----------
    x : Tensor
        (n, C, S, S) in [-1, 1].
    strength : float
        In [0, 0.5].
    inside : Tensor, optional
        (n, 1, S, S) ``bool``, not empty: the pixels around whose mean grey the contrast changes; all by default.

    Returns
    -------
    Tensor
        (n, C, S, S) in [-1, 1], of all pixels.
    """
    x = ((x + 1) / 2 * _factors(x, strength)).clamp(0, 1)
    x = _towards(_mean(luminance(x), inside), x, _factors(x, strength))
    if x.shape[1] == 3:
        x = _towards(luminance(x), x, _factors(x, strength))
        hue, saturation, value = to_hsv(x)
        turn = strength * (2 * torch.rand(len(x), 1, 1, device=x.device) - 1)
        x = from_hsv(hue + turn, saturation, value)
    return 2 * x - 1


def _factors(x: Tensor, strength: float) -> Tensor:
    return 1 + strength * (2 * torch.rand(len(x), 1, 1, 1, device=x.device) - 1)


def _towards(grey: Tensor, x: Tensor, factor: Tensor) -> Tensor:
    return (grey + factor * (x - grey)).clamp(0, 1)


def _mean(grey: Tensor, inside: Tensor | None) -> Tensor:
    if inside is None:
        return grey.mean((2, 3), keepdim=True)
    return (grey * inside).sum((2, 3), keepdim=True) / inside.sum((2, 3), keepdim=True).clamp(min=1)
