"""DRAEM's synthesis: a foreign texture shines through a Perlin mask (Zavrtanik, Kristan, Skocaj, ICCV 2021).

Randomness comes from torch's default generator on the images' device.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from medad.synthesis.contract import Made, Synthesiser
from medad.synthesis.perlin import perlin_masks
from medad.synthesis.rotation import random_degrees, rotated
from medad.synthesis.texture_changes import changed_textures
from medad.synthesis.textures import procedural_textures

MOST_OPACITY = 0.8  # of the image within the mask
SHARE_TURNED, MOST_DEGREES = 0.3, 90
BLACK = -1.0

Textures = Callable[[int, int, int, torch.device], Tensor]  # n, C, S, device -> (n, C, S, S) in [0, 1]


def perlin_synthesis(
    images: Tensor, sources: Tensor, textures: Textures = procedural_textures, share: float = 0.5
) -> Made:
    """Blend a texture into some of the images: beta x + (1 - beta) A in a Perlin mask, beta uniform in [0, 0.8].

    Parameters
    ----------
    images : Tensor
        (n, C, S, S) in [-1, 1].
    sources : Tensor
        Not looked at: textures do not come from images.
    textures : callable
        Makes A, which is then changed three times at random.
    share : float
        Share of images that get a mask.

    Returns
    -------
    Made
        Labels are 1 in the mask, which may be empty, but where the texture has the very colour of the image.
    """
    n, channels, size = images.shape[:3]
    device = images.device
    changed = torch.rand(n, 1, 1, device=device) < share
    masks = perlin_masks(n, size, device) & changed
    texture = 2 * changed_textures(textures(n, channels, size, device)) - 1
    opacity = MOST_OPACITY * torch.rand(n, 1, 1, 1, device=device)
    made = torch.where(masks[:, None], torch.lerp(texture, images, opacity), images)
    return Made(made, (made != images).any(1).float())


def turned_at_random(images: Tensor) -> Tensor:
    """Return images (n, C, S, S) in [-1, 1], three of ten turned by up to 90 degrees, black where there was none."""
    n, device = len(images), images.device
    degrees = random_degrees(n, MOST_DEGREES, device)
    turned = torch.rand(n, 1, 1, 1, device=device) < SHARE_TURNED
    return torch.where(turned, rotated(images, degrees, BLACK), images)


def make_perlin(label: str = "binary", textures: Textures = procedural_textures, share: float = 0.5) -> Synthesiser:
    """Return :func:`perlin_synthesis`, which knows no label but ``"binary"``, with its other settings."""
    return partial(perlin_synthesis, textures=textures, share=share)
