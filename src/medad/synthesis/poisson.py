"""Poisson image editing: pasting gradients instead of values, so that no edge shows (Perez et al., SIGGRAPH 2003)."""

from collections.abc import Callable

import torch
from torch import Tensor

from medad.synthesis.dirichlet import solve

# Given the differences between neighbouring pixels in the destination and in what is pasted, those that are wanted.
Guidance = Callable[[Tensor, Tensor], Tensor]


def pasted_gradients(destination: Tensor, source: Tensor) -> Tensor:
    """Want the differences of what is pasted."""
    return source


def mixed_gradients(destination: Tensor, source: Tensor) -> Tensor:
    """Want the larger difference, in magnitude, of each pair of neighbours."""
    return torch.where(destination.abs() > source.abs(), destination, source)


def interpolated_gradients(factors: Tensor) -> Guidance:
    """Want the larger of a g_s and (1 - a) g_d (Tan et al., MICCAI 2021), `factors` being a, (n, 1, 1, 1)."""
    return lambda destination, source: mixed_gradients((1 - factors) * destination, factors * source)


def poisson_blend(images: Tensor, pasted: Tensor, masks: Tensor, guidance: Guidance = mixed_gradients) -> Tensor:
    """Return images whose differences between neighbours within masks are, in least squares, those that are wanted.

    The outermost pixels of a mask keep their values, so that nothing outside the mask needs to be known of what is
    pasted; a mask without a pixel whose four neighbours lie in it, too, leaves its image as it was. Results are
    clipped to the range of their image.

    Parameters
    ----------
    images, pasted : Tensor
        (n, C, H, W), floating; `pasted` counts within the mask alone.
    masks : Tensor
        (n, H, W) ``bool``, of any shape.
    guidance : callable
        :func:`pasted_gradients`, :func:`mixed_gradients` or what :func:`interpolated_gradients` returns.

    Returns
    -------
    Tensor
        (n, C, H, W), equal to `images` outside the masks.
    """
    inside = interior(masks)
    wanted = torch.zeros_like(images)
    for dim in (2, 3):
        own = images.diff(dim=dim)
        change = guidance(own, pasted.diff(dim=dim)) - own
        length = change.shape[dim]
        wanted.narrow(dim, 1, length).add_(change)
        wanted.narrow(dim, 0, length).sub_(change)
    low, high = images.amin((1, 2, 3), keepdim=True), images.amax((1, 2, 3), keepdim=True)
    return (images + solve(wanted, inside)).clamp(low, high)


def interior(masks: Tensor) -> Tensor:
    """Return the pixels of masks, (n, H, W) ``bool``, whose four neighbours lie in the mask and in the image."""
    inner = torch.zeros_like(masks)
    inner[:, 1:-1, 1:-1] = (
        masks[:, 1:-1, 1:-1] & masks[:, :-2, 1:-1] & masks[:, 2:, 1:-1] & masks[:, 1:-1, :-2] & masks[:, 1:-1, 2:]
    )
    return inner
