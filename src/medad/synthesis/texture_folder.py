"""Textures from a folder of the user's."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from medad.data.finding import find_images
from medad.data.imageset import ImageSet
from medad.data.loading import load_or_fail
from medad.data.preprocessing import Preprocessing


@lru_cache(maxsize=2)
def read_textures(folder: str, size: int, channels: int) -> ImageSet:
    """Return all images in a folder and in those below it.

    Parameters
    ----------
    folder : str
        Its path.
    size, channels : int
        S and C of the textures; images that are not square are cropped.

    Raises
    ------
    UserError
        If there is no such folder, it holds no image, or one of them cannot be read.
    """
    found = find_images([Path(folder)])
    return load_or_fail(found.entries, Preprocessing(size, channels, "crop"), "textures").images


def folder_textures(folder: str, n: int, channels: int, size: int, device: torch.device) -> Tensor:
    """Return n random images of a folder, (n, C, S, S) in [0, 1]; raises what :func:`read_textures` raises."""
    pixels = read_textures(folder, size, channels).pixels
    chosen = pixels[torch.randint(len(pixels), (n,), device=device).cpu().numpy()]
    return torch.from_numpy(chosen.astype(np.float32)).to(device) / np.iinfo(pixels.dtype).max
