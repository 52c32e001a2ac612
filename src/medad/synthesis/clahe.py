"""Contrast-limited adaptive histogram equalisation (Zuiderveld, Graphics Gems IV, 1994)."""

import numpy as np

TILES = 8  # along a side
BINS = 256


def equalised(grey: np.ndarray, clip: float = 0.01) -> np.ndarray:
    """Return an image in which every neighbourhood has the whole range of greys.

    Each of 8 x 8 tiles has a curve, the running sum of its histogram of 256 bins, of which no bin counts for more
    than the share `clip` of the tile, at least one pixel; the rest is dealt out to all bins. A pixel takes the
    bilinear mean of the curves of the four nearest tiles.

    Parameters
    ----------
    grey : ndarray
        (S, S) in [0, 1]; S is a multiple of 8.
    clip : float
        In (0, 1].

    Returns
    -------
    ndarray
        (S, S) ``float64``, from 0 to 1; zeros where the image is of one grey.
    """
    side = len(grey) // TILES
    levels = np.minimum((grey * BINS).astype(int), BINS - 1)
    curves = _curves(levels, side, max(int(clip * side**2), 1))
    low, share = _neighbours(len(grey), side)
    found = np.zeros(grey.shape)
    for i in (0, 1):
        for j in (0, 1):
            of_rows, of_columns = (np.where(k, share, 1 - share) for k in (i, j))
            value = curves[(low + i)[:, None], (low + j)[None, :], levels]
            found += of_rows[:, None] * of_columns[None, :] * value
    found -= found.min()
    return found / (found.max() or 1.0)


def _curves(levels: np.ndarray, side: int, limit: int) -> np.ndarray:
    """Return (8, 8, 256) curves from 0 to 1."""
    tiles = levels.reshape(TILES, side, TILES, side).swapaxes(1, 2).reshape(TILES**2, -1)
    numbered = tiles + BINS * np.arange(TILES**2)[:, None]
    counts = np.bincount(numbered.ravel(), minlength=BINS * TILES**2).reshape(TILES, TILES, BINS)
    clipped = np.minimum(counts, limit)
    clipped = clipped + (counts - clipped).sum(-1, keepdims=True) / BINS
    return clipped.cumsum(-1) / side**2


def _neighbours(size: int, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return for each row the tile before it and how far it is, from 0 to 1, on the way to the next one."""
    at = np.clip((np.arange(size) + 0.5) / side - 0.5, 0, TILES - 1)
    low = np.minimum(at.astype(int), TILES - 2)
    return low, at - low
