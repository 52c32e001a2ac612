"""Patches of images: for a teacher at random zoom, for students in grids of places."""

import torch
from torch import Tensor
from torch.nn import functional as F

from medad.networks.patch_network import PatchNetwork, padded

ZOOM = (4, 16)  # an image is enlarged or made smaller until its side is 4 to 16 patches
MOST_ENLARGED = 4
NOISE, LIGHT = 0.05, 0.1  # of values in [-1, 1]


def random_patches(x: Tensor, patch: int, alike: bool = False) -> tuple[Tensor, ...]:
    """Return a patch of each image, cut at random after zooming by a random factor.

    Parameters
    ----------
    x : Tensor
        (n, C, S, S).
    patch : int
        Side p of a patch.
    alike : bool
        Whether to return a second patch of each, moved by up to p / 16 pixels, a little lighter or darker, of a little
        more or less contrast, and with noise.

    Returns
    -------
    tuple of Tensor
        (n, C, p, p), one or two.
    """
    n, device = len(x), x.device
    low, high = zooms(x.shape[-1], patch)
    share = patch / (low * (high / low) ** torch.rand(n, 1, device=device))  # of the image's side
    centre = (2 * torch.rand(n, 2, device=device) - 1) * (1 - share)
    anchor = _cut(x, patch, centre, share)
    if not alike:
        return (anchor,)
    moved = centre + (2 * torch.rand(n, 2, device=device) - 1) * share / 8  # a side is 2 in these units
    contrast, light = (LIGHT * (2 * torch.rand(2, n, 1, 1, 1, device=device) - 1)).unbind()
    changed = _cut(x, patch, moved, share) * (1 + contrast) + light
    return anchor, (changed + NOISE * torch.randn_like(changed)).clamp(-1, 1)


def zooms(size: int, patch: int) -> tuple[float, float]:
    """Return between which sides images of side `size` are zoomed: those of `ZOOM`, but never far from their own."""
    low, high = (factor * patch for factor in ZOOM)
    low = max(min(low, size), patch)
    return low, max(min(high, MOST_ENLARGED * size), low)


def _cut(x: Tensor, patch: int, centre: Tensor, share: Tensor) -> Tensor:
    """Cut squares with these centres, (n, 2) of -1 to 1, and shares of the side (n, 1); beyond the image it mirrors."""
    at = torch.eye(2, device=x.device) * share[:, :, None]
    grid = F.affine_grid(
        torch.cat([at, centre[:, :, None]], 2), [len(x), x.shape[1], patch, patch], align_corners=False
    )
    return F.grid_sample(x, grid, padding_mode="reflection", align_corners=False)


def grid_of_places(size: int, places: int, spacing: int) -> int:
    """Return how many places a row of a grid has: at most `places`, so that grids side by side fill the image."""
    cells = size // spacing
    return next(count for count in range(min(places, cells), 0, -1) if cells % count == 0)


def places_of(network: PatchNetwork, x: Tensor, places: int) -> tuple[Tensor, int]:
    """Return what patch networks like `network` have to see of images, and with which stride.

    Parameters
    ----------
    network : PatchNetwork
        Its patches lie `spacing` pixels apart in a grid.
    x : Tensor
        (n, C, S, S).
    places : int
        Most places in a row of the grid, which is laid so that every pixel of an image is as likely; 0 for all pixels.
    """
    around = padded(x, network.patch)
    if not places:
        return around, 1
    spacing, size = network.spacing, x.shape[-1]
    count = grid_of_places(size, places, spacing)
    extent = network.patch + spacing * (count - 1)
    blocks = size // (spacing * count)
    block, phase = (torch.randint(most, (len(x), 2), device=x.device) for most in (blocks, spacing))
    starts = (block * spacing * count + phase).tolist()
    cut = [image[:, r : r + extent, c : c + extent] for image, (r, c) in zip(around, starts, strict=True)]
    return torch.stack(cut).contiguous(memory_format=torch.channels_last), spacing
