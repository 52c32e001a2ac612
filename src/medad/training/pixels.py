"""Training images as files that all processes map, and as batches of floats."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from medad.data.imageset import ImageSet


def to_unit(pixels: np.ndarray, device: torch.device) -> Tensor:
    """Map ``uint8``/``uint16`` (n, C, H, W) to float32 in [-1, 1]: (x - 0.5) / 0.5, channels last."""
    x = torch.from_numpy(pixels.astype(np.float32)).to(device)
    x = x.mul_(2.0 / np.iinfo(pixels.dtype).max).sub_(1.0)
    return x.contiguous(memory_format=torch.channels_last)


def share_pixels(images: ImageSet, path: Path) -> Path:
    """Return a ``.npy`` file that holds the pixels: the cache's own, or `path`, written now."""
    mapped = images.pixels
    if isinstance(mapped, np.memmap) and str(mapped.filename).endswith(".npy") and mapped.flags.c_contiguous:
        cached = Path(str(mapped.filename))
        if np.load(cached, mmap_mode="r", allow_pickle=False).shape == mapped.shape:  # not a part of it
            return cached
    np.save(path, images.pixels, allow_pickle=False)
    return path


class Pixels:
    """The images of one or more ``.npy`` files as one sequence.

    Parameters
    ----------
    files : sequence of Path
        Arrays of ``uint8`` or ``uint16``, (n, C, H, W).
    device : torch.device
        Where batches go.
    """

    def __init__(self, files: Sequence[Path], device: torch.device) -> None:
        self.arrays = [np.load(file, mmap_mode="r", allow_pickle=False) for file in files]
        self.starts = np.cumsum([0, *(len(a) for a in self.arrays)])
        self.device = device

    def __len__(self) -> int:
        """Return the number of images."""
        return int(self.starts[-1])

    def __call__(self, index: Tensor) -> Tensor:
        """Return the images at `index`, float32 in [-1, 1], (len(index), C, H, W)."""
        rows = index.numpy()
        source = np.searchsorted(self.starts, rows, side="right") - 1
        shape = (len(rows), *self.arrays[0].shape[1:])
        batch = torch.empty(shape, device=self.device).contiguous(memory_format=torch.channels_last)
        for i, array in enumerate(self.arrays):
            here = np.flatnonzero(source == i)
            batch[torch.from_numpy(here)] = to_unit(array[rows[here] - self.starts[i]], self.device)
        return batch
