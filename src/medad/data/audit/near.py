"""Near-duplicates: images whose area means at 64 x 64 differ by less than 3 of 255 grey levels (root mean square).

Nothing that is that near is missed. A projection never lies farther from another than the images themselves do: so
candidates are looked for by a k-d tree over the ten main components of 16 x 16 means, then confirmed at 64 x 64.
That takes time nearly linear in the number of images, as almost all of them are far from each other.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy.spatial import cKDTree

from medad.cores import cores
from medad.data.audit.files import GREY_LEVEL, is_faint
from medad.data.audit.lists import LISTS
from medad.progress import progress

RMS = 3.0  # grey levels of 255
COARSE, COMPONENTS = 16, 10
MOST_PAIRS = 100_000  # that are kept to be shown; all are counted
SLACK = 1e-3  # of the bounds, which are computed in single precision
_BLOCK, _PAIRS = 256, 1024


@dataclass
class Near:
    """What is near to what.

    Attributes
    ----------
    beside : ndarray
        (N, lists) ``bool``: whether an image has a near-duplicate, not itself, in a list.
    repeats : ndarray
        (N,) ``bool``: whether an earlier image of its own list, itself no repeat, is near.
    pairs : list of tuple
        Two positions, the smaller first, and their distance; at most `MOST_PAIRS`.
    count : int
        How many pairs there are.
    """

    beside: np.ndarray
    repeats: np.ndarray
    pairs: list[tuple[int, int, float]] = field(default_factory=list)
    count: int = 0


def near_duplicates(pixels: np.ndarray, lists: np.ndarray, jobs: int | None = None) -> Near:
    """Find all near-duplicates.

    Parameters
    ----------
    pixels : ndarray
        (N, 64, 64) ``uint16``, may be memory-mapped. Images with next to nothing in them are near to none.
    lists : ndarray
        (N,) positions in `LISTS`; images of one list stand together.
    jobs : int, optional
        Number of threads; None takes one per core.
    """
    found = Near(np.zeros((len(pixels), len(LISTS)), bool), np.zeros(len(pixels), bool))
    coarse, usable = _coarse(pixels)
    if len(usable) < 2:
        return found
    tree = cKDTree(points := _components(coarse, usable))
    with progress(len(usable), "near-duplicates") as advance:
        for start in range(0, len(usable), _BLOCK):
            block = np.arange(start, min(start + _BLOCK, len(usable)))
            around = tree.query_ball_point(points[block], RMS * (1 + SLACK), workers=jobs or cores())
            later = np.repeat(block, [len(one) for one in around])
            earlier = np.fromiter((i for one in around for i in one), np.int64, len(later))
            chosen = earlier < later
            _note(found, lists, _confirmed(pixels, coarse, usable[earlier[chosen]], usable[later[chosen]]))
            advance(len(block))
    return found


def _coarse(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return 16 x 16 means in grey levels, (N, 256) ``float32``, and which images have anything in them."""
    coarse, usable = np.empty((len(pixels), COARSE**2), np.float32), np.zeros(len(pixels), bool)
    step = pixels.shape[1] // COARSE
    for i, image in enumerate(pixels):
        coarse[i] = image.reshape(COARSE, step, COARSE, step).mean((1, 3), dtype=np.float64).ravel() / GREY_LEVEL
        usable[i] = not is_faint(image)
    return coarse, np.flatnonzero(usable)


def _components(coarse: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """Project on the directions in which images differ most; distances are root mean squares or less."""
    centred = coarse[usable] - coarse[usable].mean(axis=0)
    directions = np.linalg.eigh(centred.T @ centred)[1][:, -COMPONENTS:]
    return centred @ directions / COARSE


def _confirmed(
    pixels: np.ndarray, coarse: np.ndarray, first: np.ndarray, second: np.ndarray
) -> Iterator[tuple[int, int, float]]:
    """Yield the candidates that are near, in the order of `second`."""
    for start in range(0, len(first), _PAIRS):
        a, b = first[start : start + _PAIRS], second[start : start + _PAIRS]
        likely = np.square(coarse[a] - coarse[b]).mean(axis=1) < RMS**2 * (1 + SLACK)
        a, b = a[likely], b[likely]
        difference = pixels[a].astype(np.float64) - pixels[b]  # whole numbers, whose squares add up exactly
        squares = np.square(difference, out=difference).mean(axis=(1, 2)) / GREY_LEVEL**2
        near = squares < RMS**2
        yield from zip(a[near].tolist(), b[near].tolist(), np.sqrt(squares[near]).tolist(), strict=True)


def _note(found: Near, lists: np.ndarray, pairs: Iterator[tuple[int, int, float]]) -> None:
    """Note pairs; all those of an image with earlier ones come before it is the earlier one itself."""
    for earlier, later, distance in pairs:
        found.count += 1
        found.beside[earlier, lists[later]] = found.beside[later, lists[earlier]] = True
        found.repeats[later] |= lists[earlier] == lists[later] and not found.repeats[earlier]
        if len(found.pairs) < MOST_PAIRS:
            found.pairs.append((earlier, later, distance))
