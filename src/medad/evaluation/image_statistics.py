"""Plain statistics of images and files that see no pathology: what brightness, texture and size alone tell."""

import os
from collections.abc import Iterator, Sequence

import numpy as np

from medad.data.imageset import ImageSet

STATISTICS = ("mean_intensity", "mean_gradient", "file_size", "thumbnail", "pixels")
_SIDES = {"thumbnail": 8, "pixels": 32}  # of the grids of area means
_AT_ONCE = 256  # images, so that memory does not grow with their number


def image_statistics(images: ImageSet, rows: Sequence[int] | np.ndarray | None = None) -> dict[str, np.ndarray]:
    """Return statistics of images; channels are averaged first.

    Parameters
    ----------
    images : ImageSet
        At least one image, of side S.
    rows : sequence of int, optional
        Which of them, in this order; all by default.

    Returns
    -------
    dict of str to ndarray
        Named (n, d) ``float32`` arrays:

        - ``mean_intensity``: d = 1, in [0, 1].
        - ``mean_gradient``: d = 1, the mean of the absolute differences between neighbouring pixels, along both
          axes and summed, in [0, 2].
        - ``file_size``: d = 1, natural logarithm of bytes; left out where an image has no file.
        - ``thumbnail``, ``pixels``: area means of 8 x 8 and 32 x 32 equal squares in [0, 1], of S x S where S is
          smaller, d = 64 and 1024.
    """
    chosen = np.arange(len(images)) if rows is None else np.asarray(rows, dtype=np.int64)
    blocks = [_of_pixels(grey) for grey in _grey(images, chosen)]
    found = {name: np.concatenate([block[name] for block in blocks]).astype(np.float32) for name in blocks[0]}
    sizes = _file_sizes([images.paths[i] for i in chosen])
    return found if sizes is None else found | {"file_size": sizes}


def _grey(images: ImageSet, rows: np.ndarray) -> Iterator[np.ndarray]:
    """Yield (block, S, S) ``float64`` in [0, 1]."""
    for start in range(0, len(rows), _AT_ONCE):
        yield images.pixels[rows[start : start + _AT_ONCE]].mean(axis=1, dtype=np.float64) / images.scale


def _of_pixels(grey: np.ndarray) -> dict[str, np.ndarray]:
    across, down = (np.abs(np.diff(grey, axis=axis)).sum(axis=(1, 2)) for axis in (2, 1))
    return {
        "mean_intensity": grey.mean(axis=(1, 2))[:, None],
        "mean_gradient": (across + down)[:, None] / grey[0].size,
    } | {name: _area_means(grey, side) for name, side in _SIDES.items()}


def statistic_width(name: str, size: int) -> int:
    """Return how many numbers a statistic of an image of side `size` has."""
    return min(_SIDES[name], size) ** 2 if name in _SIDES else 1


def _area_means(grey: np.ndarray, side: int) -> np.ndarray:
    """Return means over the squares of a `side` x `side` grid, (n, side ** 2); a pixel on an edge counts in part."""
    size = grey.shape[-1]
    side = min(side, size)
    edges = np.linspace(0, size, side + 1)[:, None]
    inside = np.clip(edges - np.arange(size), 0, 1)  # share of each pixel that lies before each edge
    weights = np.diff(inside, axis=0) * (side / size)
    return (weights @ grey @ weights.T).reshape(len(grey), -1)


def _file_sizes(paths: Sequence[str]) -> np.ndarray | None:
    """Return log bytes (n, 1), None where a file is missing or an image never had one."""
    try:
        sizes = [os.stat(path).st_size for path in paths]
    except OSError:
        return None
    return np.log(np.maximum(sizes, 1)).astype(np.float32)[:, None]
