"""Files that cannot be read, that hold next to nothing, or that are there twice."""

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from medad.data.audit.looking import Looks
from medad.data.cache import digest
from medad.data.parallel import parallel_map

TINY = 32  # pixels of the shorter side
GREY_LEVEL = 257  # of 65535
FAINT = 3 * GREY_LEVEL  # standard deviation below which nothing can be compared


def faults(seen: Looks) -> dict[str, list[int]]:
    """Sort what is wrong with single images.

    Returns
    -------
    dict of str to list of int
        Positions: ``empty`` files, ``truncated`` ones, those ``unreadable`` for another reason, ``constant`` images,
        ``faint`` ones whose grey values spread less than 3 of 255 levels at 64 x 64, and ``tiny`` ones whose shorter
        side is below 32 pixels.
    """
    found: dict[str, list[int]] = {"empty": [], "truncated": [], "unreadable": [], "constant": [], "faint": []}
    for index, reason in seen.failures.items():
        kind = "empty" if "is empty" in reason else "truncated" if "truncated" in reason else "unreadable"
        found[kind].append(index)
    for index, look in enumerate(seen.looks):
        if look is not None and (look.facts.constant or is_faint(seen.pixels[index])):
            found["constant" if look.facts.constant else "faint"].append(index)
    tiny = [i for i, one in enumerate(seen.looks) if one and min(one.facts.width, one.facts.height) < TINY]
    return found | {"tiny": tiny}


def is_faint(small: np.ndarray) -> bool:
    """Return whether there is next to nothing in a (64, 64) ``uint16`` image."""
    return float(small.std(dtype=np.float64)) < FAINT


def same_bytes(paths: Sequence[str | Path], jobs: int | None = None) -> list[list[int]]:
    """Find files that are byte for byte the same; only those of one size are read.

    Parameters
    ----------
    paths : sequence of path
        Several frames of one file have one path, and are no copies of each other.

    Returns
    -------
    list of list of int
        Positions of the first frame of each file, for every content that is there more than once.
    """
    first: dict[str, int] = {}
    for index, path in enumerate(paths):
        first.setdefault(str(path), index)
    alike = [one for group in _grouped((_size(path), i) for path, i in first.items()) for one in group]
    digests = parallel_map(lambda i: digest(Path(paths[i])), alike, "comparing files", jobs)
    return _grouped(zip(digests, alike, strict=True))


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _grouped(keyed: Iterable[tuple[object, int]]) -> list[list[int]]:
    """Return what has one key, where that is more than one; empty keys and 0 are none."""
    groups: defaultdict[object, list[int]] = defaultdict(list)
    for key, index in keyed:
        if key:
            groups[key].append(index)
    return [group for group in groups.values() if len(group) > 1]
