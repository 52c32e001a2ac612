"""Foreign-patch interpolation, the synthesis that trains ASR-Net (Cai et al. 2023; Tan et al. 2020)."""

import torch
from torch import Tensor


def foreign_patches(images: Tensor, foreign: Tensor, share: float = 0.5) -> tuple[Tensor, Tensor]:
    """Blend a square of another image into each image: x_s = (1 - a) x + a x_f inside the square.

    Randomness comes from torch's default generator on the images' device.

    Parameters
    ----------
    images, foreign : Tensor
        (n, C, S, S): the images and, for each, another normal image.
    share : float
        Share of images that receive a patch; the rest stays clean, with an empty mask
        (0.5 in the official code, which teaches low responses; the paper changes every image).

    Returns
    -------
    images : Tensor
        (n, C, S, S), equal to the input outside the mask.
    masks : Tensor
        (n, S, S) ``bool``, the squares: half-width an integer in [round(0.05 S), round(0.2 S)),
        centre an integer in [int(0.1 S), int(0.9 S)), clipped at the borders.
    """
    n, size, device = len(images), images.shape[-1], images.device
    half = torch.randint(round(0.05 * size), round(0.2 * size), (n, 1), device=device)
    centre = torch.randint(int(0.1 * size), int(0.9 * size), (2, n, 1), device=device)
    at = torch.arange(size, device=device)
    rows, columns = (at >= centre - half) & (at < centre + half)
    changed = torch.rand(n, device=device) < share
    masks = rows[:, :, None] & columns[:, None, :] & changed[:, None, None]
    alpha = torch.rand(n, 1, 1, 1, device=device)
    return torch.where(masks[:, None], (1 - alpha) * images + alpha * foreign, images), masks


def other_indices(index: Tensor, count: int) -> Tensor:
    """For each of `index` (integers below `count`) draw another integer below `count`, uniformly."""
    return (index + torch.randint(1, count, index.shape, device=index.device)) % count
