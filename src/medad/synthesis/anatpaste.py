"""AnatPaste: a soft grey patch of a chest X-ray, pasted into its lungs (Sato et al., iScience 2023).

Randomness comes from torch's default generator on the images' device. Lengths in pixels are those at 224; in other
images they are as much of a side.
"""

import torch
from torch import Tensor

from medad.synthesis.colour_jitter import jitter_colours, luminance
from medad.synthesis.cutpaste import JITTER, LENGTHS_AT, moved, patch_sides, random_starts

MARGIN = 10  # pixels between the patch's box and the shape in it, on every side
MOST_BLUR = 15  # the shape's Gaussian blur is a whole number of pixels below
STRENGTH = (150, 255)  # of the shape, of 255, the second excluded
DRAWS = 20  # of a patch's sides, until one has room for a shape


def anatpaste_classes(images: Tensor, lungs: Tensor) -> Tensor:
    """Return what a classifier is to tell apart, (n, 2, C, S, S) in [-1, 1]: images as they are, and with a patch.

    Parameters
    ----------
    images : Tensor
        (n, C, S, S) in [-1, 1]; their colours are jittered.
    lungs : Tensor
        (n, S, S) ``bool``, no mask empty.
    """
    x = jitter_colours(images, JITTER)
    return torch.stack([x, paste_into_lungs(x, lungs)], 1)


def paste_into_lungs(images: Tensor, lungs: Tensor) -> Tensor:
    """Return images (n, C, S, S) that are, in the lungs and around a pixel of them, (1 - alpha) x + alpha patch.

    The patch is a rectangle of the same image, jittered and in grey. Alpha is an ellipse or a rectangle, as often, of
    one strength between 150 and 254 of 255, blurred; outside the lungs and the patch it is 0.
    """
    size, device = images.shape[-1], images.device
    sides, inner = _sides(len(images), size, device)
    source = random_starts(sides, size)
    centre = _random_pixels(lungs)
    at = torch.arange(size, device=device)
    place = at - (centre - sides // 2)[..., None]  # in the patch
    rows, columns = place + source[..., None]
    box = _outer((place >= 0) & (place < sides[..., None]))
    patch = luminance(moved(images, rows[:, :, None], columns[:, None, :]))
    patch = jitter_colours(patch, JITTER, box[:, None])
    alpha = _soft_shapes(place - (sides[..., None] - 1) / 2, inner) * (box & lungs)
    return torch.where(alpha[:, None] > 0, torch.lerp(images, patch.expand_as(images), alpha[:, None]), images)


def _sides(n: int, size: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the sides of the patches and of the shapes in them, (2, n) each, the latter at least 1."""
    drawn = patch_sides(DRAWS * n, size, device).view(2, DRAWS, n)
    inner = drawn - 2 * round(MARGIN * size / LENGTHS_AT)
    first = (inner > 0).all(0).int().argmax(0)
    sides, inner = (t[:, first, torch.arange(n, device=device)] for t in (drawn, inner))
    return sides, inner.clamp(min=1)


def _random_pixels(masks: Tensor) -> Tensor:
    """Return row and column, (2, n), of a pixel of each mask (n, S, S), all alike."""
    size = masks.shape[-1]
    place = torch.multinomial(masks.flatten(1).float(), 1)[:, 0]
    return torch.stack([place // size, place % size])


def _soft_shapes(place: Tensor, sides: Tensor) -> Tensor:
    """Return (n, S, S) in [0, 1], given where rows and columns lie from the middle, (2, n, S), and sides (2, n)."""
    n, size, device = *place.shape[1:], place.device
    relative = 2 * place / sides[..., None]
    rectangle = _outer(relative.abs() <= 1)
    ellipse = relative[0].square()[:, :, None] + relative[1].square()[:, None, :] <= 1
    shape = torch.where(torch.rand(n, 1, 1, device=device) < 0.5, ellipse, rectangle)
    strength = torch.randint(*STRENGTH, (n, 1, 1), device=device) / 255
    blur = torch.randint(MOST_BLUR, (n, 1, 1), device=device) * (size / LENGTHS_AT)
    at = torch.arange(size, device=device, dtype=torch.float32)
    means = (-(at[:, None] - at).square() / (2 * blur.clamp(min=0.1).square())).softmax(2)  # 0.1 blurs nothing
    return means @ (strength * shape) @ means.transpose(1, 2)


def _outer(rows_and_columns: Tensor) -> Tensor:
    """Return masks (n, S, S) of the places whose row and column are in (2, n, S) ``bool``."""
    rows, columns = rows_and_columns
    return rows[:, :, None] & columns[:, None, :]
