"""Training images as files that all processes map, and as batches of floats."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from weakref import WeakValueDictionary

import numpy as np
import torch
from torch import Tensor

from medad.data.imageset import ImageSet

SHARE_OF_GPU = 0.25  # of its free memory: more images than fit there stay in files
PREPARED_AT_ONCE = 2**26  # values of a chunk on a GPU


def to_unit(pixels: np.ndarray, device: torch.device) -> Tensor:
    """Map ``uint8``/``uint16`` (n, C, H, W) to float32 in [-1, 1]: (x - 0.5) / 0.5, channels last."""
    return _scaled(torch.from_numpy(np.array(pixels)).to(device), np.iinfo(pixels.dtype).max)


def _scaled(pixels: Tensor, largest: int) -> Tensor:
    x = pixels.to(torch.float32).mul_(2.0 / largest).sub_(1.0)
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


class MappedPixels:
    """The images of one or more ``.npy`` files as one sequence, read when they are asked for.

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
        rows = index.cpu().numpy()
        source = np.searchsorted(self.starts, rows, side="right") - 1
        shape = (len(rows), *self.arrays[0].shape[1:])
        batch = torch.empty(shape, device=self.device).contiguous(memory_format=torch.channels_last)
        for i, array in enumerate(self.arrays):
            here = np.flatnonzero(source == i)
            batch[torch.from_numpy(here)] = to_unit(array[rows[here] - self.starts[i]], self.device)
        return batch

    def batches_at_once(self, batch_size: int) -> int:
        """Return how many batches are best asked for together: one, which a CPU's cache can hold."""
        return 1


class ResidentPixels:
    """The same, all on the device: nothing is read or copied while training.

    Parameters
    ----------
    files, device
        See :class:`MappedPixels`. Where 8 and 16 bits meet, all are widened to 16.
    """

    def __init__(self, files: Sequence[Path], device: torch.device) -> None:
        arrays = [np.load(file, allow_pickle=False) for file in files]
        self.largest = max(np.iinfo(array.dtype).max for array in arrays)
        widened = [array.astype(np.int32) * (self.largest // np.iinfo(array.dtype).max) for array in arrays]
        narrow = np.uint8 if self.largest == np.iinfo(np.uint8).max else np.int32  # few operations take uint16
        self.images = torch.from_numpy(np.concatenate(widened).astype(narrow)).to(device)
        self.device = device

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.images)

    def __call__(self, index: Tensor) -> Tensor:
        """Return the images at `index`, on the device: float32 in [-1, 1], (len(index), C, H, W)."""
        return _scaled(self.images[index], self.largest)

    def batches_at_once(self, batch_size: int) -> int:
        """Return how many batches are best asked for together: many, so that the host is seldom needed."""
        return max(PREPARED_AT_ONCE // (batch_size * self.images[0].numel()), 1)


class ChosenPixels:
    """Some of the images of others, as one sequence.

    Parameters
    ----------
    images : MappedPixels or ResidentPixels
        All of them.
    rows : sequence of int
        Which.
    """

    def __init__(self, images: MappedPixels | ResidentPixels, rows: Sequence[int]) -> None:
        self.images, self.rows, self.device = images, torch.tensor(rows, device=images.device), images.device

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.rows)

    def __call__(self, index: Tensor) -> Tensor:
        """Return the images at `index` of those that were chosen, float32 in [-1, 1], (len(index), C, H, W)."""
        return self.images(self.rows[index])

    def batches_at_once(self, batch_size: int) -> int:
        """Return how many batches are best asked for together."""
        return self.images.batches_at_once(batch_size)


Pixels = MappedPixels | ResidentPixels | ChosenPixels

_resident: WeakValueDictionary[tuple[object, ...], ResidentPixels] = WeakValueDictionary()


def open_pixels(files: Sequence[Path], device: torch.device) -> MappedPixels | ResidentPixels:
    """Return the images of `files`: on a GPU resident, once for all phases, unless they are too many."""
    if device.type == "cpu":
        return MappedPixels(files, device)
    key = (*files, device)
    if key not in _resident:
        size = 4 * sum(np.load(file, mmap_mode="r", allow_pickle=False).size for file in files)
        if size > SHARE_OF_GPU * torch.cuda.mem_get_info(device)[0]:
            return MappedPixels(files, device)
        images = ResidentPixels(files, device)
        _resident[key] = images
        torch.cuda.synchronize(device)  # other streams will read them
    return _resident[key]


def in_order(images: Pixels, at_once: int) -> Iterator[Tensor]:
    """Yield all images, (n, C, S, S) in [-1, 1], `at_once` at a time."""
    for index in torch.arange(len(images), device=images.device).split(at_once):
        yield images(index)
