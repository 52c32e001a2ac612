"""CutPaste: a patch or a scar of an image, pasted elsewhere in it (Li, Sohn, Yoon, Pfister, CVPR 2021).

Randomness comes from torch's default generator on the images' device.
"""

import math

import torch
from torch import Tensor

from medad.synthesis.colour_jitter import jitter_colours

JITTER = 0.1  # of colours, of the images and once more of what is pasted
AREA = (0.02, 0.15)  # of a patch, of the image's area
ASPECT = (0.3, 1 / 0.3)  # height by width
LENGTHS_AT = 224  # side, in pixels, of the images for which lengths in pixels are given
SCAR_WIDTH, SCAR_HEIGHT = (2.0, 16.0), (10.0, 25.0)
SCAR_ANGLE = math.radians(45)
CLASSES = {"normal": 2, "scar": 2, "3way": 3, "union": 2}  # how many, by variant


def cutpaste_classes(images: Tensor, variant: str = "3way") -> Tensor:
    """Return what a classifier is to tell apart.

    Parameters
    ----------
    images : Tensor
        (n, C, S, S) in [-1, 1].
    variant : str
        ``"normal"`` or ``"scar"``: images as they are and with a patch, or with a scar; ``"3way"``: all three;
        ``"union"``: images as they are and with one or the other, as often.

    Returns
    -------
    Tensor
        (n, k, C, S, S) in [-1, 1]: every image, its colours jittered, in all k classes, the unchanged one first.
    """
    x = jitter_colours(images, JITTER)
    if variant == "normal":
        found = [x, paste_patch(x)]
    elif variant == "scar":
        found = [x, paste_scar(x)]
    elif variant == "3way":
        found = [x, paste_patch(x), paste_scar(x)]
    else:
        scarred = torch.rand(len(x), 1, 1, 1, device=x.device) < 0.5
        found = [x, torch.where(scarred, paste_scar(x), paste_patch(x))]
    return torch.stack(found, 1)


def paste_patch(images: Tensor) -> Tensor:
    """Return images (n, C, S, S) with a rectangle of each, its colours jittered, pasted at another place, inside."""
    n, size, device = len(images), images.shape[-1], images.device
    sides = patch_sides(n, size, device)
    source, target = random_starts(sides, size), random_starts(sides, size)
    at = torch.arange(size, device=device)
    rows, columns = (at - target[..., None] + source[..., None]).unbind()
    in_rows, in_columns = ((at >= target[..., None]) & (at < (target + sides)[..., None])).unbind()
    inside = in_rows[:, :, None] & in_columns[:, None, :]
    return _pasted(images, inside, rows[:, :, None], columns[:, None, :])


def paste_scar(images: Tensor) -> Tensor:
    """Return images (n, C, S, S) with a thin rectangle of each, jittered and turned by up to 45 degrees, pasted inside.

    At 224 pixels it is 2 to 16 pixels wide and 10 to 25 high, of other images as much of a side.
    """
    n, size, device = len(images), images.shape[-1], images.device
    ranges = torch.tensor([SCAR_HEIGHT, SCAR_WIDTH], device=device) * (size / LENGTHS_AT)
    sides = _uniform(ranges[:, :1], ranges[:, 1:], (2, n), device).round().clamp(min=1)
    angle = _uniform(-SCAR_ANGLE, SCAR_ANGLE, (n,), device)
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()]).view(2, 2, n)
    reach = (turn.abs() * sides).sum(1) / 2  # half of the height and of the width that it takes when turned
    centre = reach + torch.rand(2, n, device=device) * (size - 2 * reach)
    place = torch.arange(size, device=device) + 0.5 - centre[..., None]
    down, right = place[0][:, :, None], place[1][:, None, :]
    along = turn[..., None, None]  # its transpose turns back
    local = torch.stack([along[0, k] * down + along[1, k] * right for k in range(2)])
    half = sides[..., None, None] / 2
    inside = (local.abs() < half).all(0)
    rows, columns = (local + half + random_starts(sides.long(), size)[..., None, None]).floor().long()
    return _pasted(images, inside, rows, columns)


def patch_sides(n: int, size: int, device: torch.device) -> Tensor:
    """Return heights and widths, (2, n) integers, of n patches of images of `size` pixels.

    The area is uniform in 2 to 15 % of the image's, the logarithm of the aspect between those of 0.3 and 1 / 0.3.
    """
    return sides_of(_uniform(math.log(ASPECT[0]), math.log(ASPECT[1]), (n,), device).exp(), size)


def sides_of(aspect: Tensor, size: int) -> Tensor:
    """Return heights and widths, (2, n) integers, of patches with `aspect` (n,), of 2 to 15 % of an image's area."""
    area = _uniform(*AREA, aspect.shape, aspect.device) * size**2
    return torch.stack([(area * aspect).sqrt(), (area / aspect).sqrt()]).long().clamp(1, size)


def random_starts(sides: Tensor, size: int) -> Tensor:
    """Return the first rows and columns, as (2, n) integers, of boxes of `sides` inside an image, all alike."""
    return (torch.rand(sides.shape, device=sides.device) * (size - sides + 1)).long()


def moved(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Return images (n, C, S, S) whose pixels are those at `rows` and `columns`, broadcast to (n, S, S).

    Beyond the border these are of the outermost pixels.
    """
    last = images.shape[-1] - 1
    image = torch.arange(len(images), device=images.device)[:, None, None]
    return images.movedim(1, -1)[image, rows.clamp(0, last), columns.clamp(0, last)].movedim(-1, 1)


def _pasted(images: Tensor, inside: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    patch = jitter_colours(moved(images, rows, columns), JITTER, inside[:, None])
    return torch.where(inside[:, None], patch, images)


def _uniform(low: Tensor | float, high: Tensor | float, shape: tuple[int, ...], device: torch.device) -> Tensor:
    return low + (high - low) * torch.rand(shape, device=device)
