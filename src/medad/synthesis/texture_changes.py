"""DRAEM's changes of a texture: three distinct ones of ten, in random order (Zavrtanik et al., ICCV 2021).

Each takes one texture (C, S, S) in [0, 1] and returns another; random numbers are drawn from torch's default generator
on its device.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from medad.synthesis.hsv import from_hsv, to_hsv
from medad.synthesis.rotation import random_degrees, rotated

CHANGES_EACH = 3
MOST_DEGREES = 45
GREYS = 255


def changed_textures(x: Tensor) -> Tensor:
    """Return textures (n, C, S, S) in [0, 1], each after three changes."""
    order = torch.rand(len(x), len(CHANGES), device=x.device).argsort(1)[:, :CHANGES_EACH].tolist()
    return torch.stack([_changed(texture, numbers) for texture, numbers in zip(x, order, strict=True)])


def _changed(x: Tensor, numbers: list[int]) -> Tensor:
    for number in numbers:
        x = CHANGES[number](x).clamp(0, 1)
    return x


def gamma(x: Tensor) -> Tensor:
    """Return x^g, g in [0.5, 2] for each channel."""
    return x ** (0.5 + 1.5 * _rand(x, len(x), 1, 1))


def brightness(x: Tensor) -> Tensor:
    """Return the texture multiplied by 0.8 to 1.2, and up to 30 greys of 255 brighter or darker."""
    return x * (0.8 + 0.4 * _rand(x)) + 30 / GREYS * (2 * _rand(x) - 1)


def sharpness(x: Tensor) -> Tensor:
    """Return a mixture with, or an extrapolation from, the means of 3 x 3 pixels: weight of the texture 0 to 2."""
    smooth = F.avg_pool2d(F.pad(x[None], [1] * 4, mode="replicate"), 3, stride=1)[0]
    return torch.lerp(smooth, x, 2 * _rand(x))


def hue_and_saturation(x: Tensor) -> Tensor:
    """Return RGB with hue and saturation shifted by up to 50 of 255; grey as it is."""
    if len(x) == 1:
        return x
    hue, saturation, value = to_hsv(x[None])
    shift = 50 / GREYS * (2 * _rand(x, 2) - 1)
    return from_hsv(hue + shift[0], (saturation + shift[1]).clamp(0, 1), value)[0]


def solarised(x: Tensor) -> Tensor:
    """Return, half the time, the negative of all that is above a threshold of 32 to 128 of 255."""
    threshold = (32 + 96 * _rand(x)) / GREYS
    return torch.where((x > threshold) & (_rand(x) < 0.5), 1 - x, x)


def posterised(x: Tensor) -> Tensor:
    """Return the texture in 2 to 256 equally wide steps, a power of two."""
    steps = 2 ** torch.randint(1, 9, (), device=x.device)
    return (x * steps).floor().minimum(steps - 1) / (steps - 1)


def inverted(x: Tensor) -> Tensor:
    """Return the negative."""
    return 1 - x


def autocontrast(x: Tensor) -> Tensor:
    """Return each channel stretched from 0 to 1."""
    low, high = x.amin((1, 2), keepdim=True), x.amax((1, 2), keepdim=True)
    return torch.where(high > low, (x - low) / (high - low).clamp(min=1e-12), x)


def equalised(x: Tensor) -> Tensor:
    """Return each channel with all greys as frequent: the share of pixels that are not brighter."""
    values = x.flatten(1)
    rank = torch.searchsorted(values.sort(1).values, values, right=True)
    return (rank / values.shape[1]).view_as(x)


def turned(x: Tensor) -> Tensor:
    """Return the texture turned by up to 45 degrees, black where there was none."""
    return rotated(x[None], random_degrees(1, MOST_DEGREES, x.device))[0]


CHANGES: tuple[Callable[[Tensor], Tensor], ...] = (
    gamma,
    brightness,
    sharpness,
    hue_and_saturation,
    solarised,
    posterised,
    inverted,
    autocontrast,
    equalised,
    turned,
)


def _rand(x: Tensor, *shape: int) -> Tensor:
    return torch.rand(shape, device=x.device)
