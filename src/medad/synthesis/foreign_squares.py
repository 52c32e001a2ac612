"""Squares of another image, blended in: the synthesis that trains ASR-Net (Cai et al. 2023; Tan et al. 2020)."""

import torch
from torch import Tensor

from medad.synthesis.contract import Made, Synthesiser


def foreign_squares(images: Tensor, sources: Tensor, share: float = 0.5) -> Made:
    """Blend a square of another image into each image: x_s = (1 - a) x + a x_f inside the square, a from U(0, 1).

    Randomness comes from torch's default generator on the images' device.

    Parameters
    ----------
    images, sources : Tensor
        (n, C, S, S): the images and, for each, another normal image.
    share : float
        Share of images that receive a patch; the rest stays clean, with an empty label
        (0.5 in the official code, which teaches low responses; the paper changes every image).

    Returns
    -------
    Made
        Images, equal to the input outside the squares, and the squares as labels of 1: half-width an integer in
        [round(0.05 S), round(0.2 S)), centre an integer in [int(0.1 S), int(0.9 S)), clipped at the borders.
    """
    n, size, device = len(images), images.shape[-1], images.device
    half = torch.randint(round(0.05 * size), round(0.2 * size), (n, 1), device=device)
    centre = torch.randint(int(0.1 * size), int(0.9 * size), (2, n, 1), device=device)
    at = torch.arange(size, device=device)
    rows, columns = (at >= centre - half) & (at < centre + half)
    changed = torch.rand(n, device=device) < share
    masks = rows[:, :, None] & columns[:, None, :] & changed[:, None, None]
    alpha = torch.rand(n, 1, 1, 1, device=device)
    blended = torch.where(masks[:, None], (1 - alpha) * images + alpha * sources, images)
    return Made(blended, masks.float())


def make_foreign_squares(label: str = "binary", share: float = 0.5) -> Synthesiser:
    """Return :func:`foreign_squares`, which knows no label but ``"binary"``, with its `share`."""
    return lambda images, sources: foreign_squares(images, sources, share)
