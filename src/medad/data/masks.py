"""Masks of the abnormal regions, all or none of them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from medad.data.cache import Stored
from medad.data.entries import Entry
from medad.data.notes import Facts
from medad.data.parallel import parallel_map
from medad.data.preprocessing import Preprocessing
from medad.data.readers import Decoded, UnreadableImage, decode
from medad.data.readers.orientation import turn
from medad.errors import UserError

LOSSY = ("JPEG", "MPO", "WEBP", "JPEG2000")
MANY_LEVELS = 16  # more are those of soft edges, if they reach half of white: labels are few, or count from 1
TURNED = "are as large as their images are stored, and were turned with them as EXIF says"


def load_masks(
    entries: Sequence[Entry], stored: Stored, preprocessing: Preprocessing, jobs: int | None
) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Read the masks if there are any and no abnormal image lacks one, otherwise note how many do.

    Parameters
    ----------
    entries : sequence of Entry
        The images that could be read.
    stored : Stored
        What is known of their files.
    preprocessing : Preprocessing
        Size of the result.
    jobs : int, optional
        Number of threads; None takes one per core.

    Returns
    -------
    masks : ndarray or None
        (N, S, S) ``bool``; those of normal images without one are empty.
    notes : tuple of str
        Lines that the user should see: how many masks were turned, and how many of abnormal images are empty.

    Raises
    ------
    UserError
        If masks cannot be read or are not as large as their images: names the first, and how many more there are.
    """
    paths = {index: entry.mask for index, entry in enumerate(entries) if entry.mask is not None}
    lacking = sum(entry.mask is None and entry.label != 0 for entry in entries)
    if not paths or lacking:
        note = f"{lacking} abnormal images have no mask: pixel metrics are left out"
        return None, (note,) if paths else ()

    def read(index: int) -> "_Mask | str":
        try:
            return _Mask(paths[index], stored.facts[index], preprocessing)
        except UserError as error:
            return str(error)

    read_masks = dict(zip(paths, parallel_map(read, list(paths), "reading masks", jobs), strict=True))
    problems = [mask for mask in read_masks.values() if isinstance(mask, str)]
    if problems:
        more = f" (and {len(problems) - 1} more of {len(paths)} masks)" if len(problems) > 1 else ""
        raise UserError(problems[0] + more)
    found = {index: mask for index, mask in read_masks.items() if isinstance(mask, _Mask)}
    masks = np.zeros((len(entries), preprocessing.size, preprocessing.size), dtype=bool)
    for index, mask in found.items():
        masks[index] = mask.inside
    return masks, tuple(_notes(found, entries, preprocessing.size))


class _Mask:
    """One mask as it was read; `is_empty` tells of its file, `inside` is (S, S)."""

    def __init__(self, path: Path, image: Facts, preprocessing: Preprocessing) -> None:
        try:
            inside = region(decode(path))
        except UnreadableImage as error:
            raise UserError(f"mask {error}: repair it or take it off the list") from None
        size = (image.height, image.width)
        self.was_turned = inside.shape != size and turn(inside, image.turned).shape == size
        if self.was_turned:
            inside = turn(inside, image.turned)
        if inside.shape != size:
            sizes = f"{inside.shape[1]} x {inside.shape[0]} pixels, its image has {image.width} x {image.height}"
            raise UserError(f"mask {path}: {sizes}: draw it at the size of the image")
        self.is_empty = not inside.any()
        self.inside = preprocessing.mask(inside, image.spacing)


def region(mask: Decoded) -> np.ndarray:
    """Return the pixels that a mask marks.

    Those above 0, whatever label they bear. Those above half of white where the edges are soft, or compression has
    left its traces: in lossy formats, and where there are many levels that reach half of white.

    Parameters
    ----------
    mask : Decoded
        The brightest of its channels counts.

    Returns
    -------
    ndarray
        (H, W) ``bool``.
    """
    values = mask.pixels if mask.pixels.ndim == 2 else mask.pixels.max(axis=2)
    if mask.inverted:
        values = (values.max(initial=0) if mask.white is None else int(mask.white)) - values
    half = (float(values.max(initial=0)) if mask.white is None else mask.white) / 2
    soft = mask.format in LOSSY or (len(np.unique(values)) > MANY_LEVELS and float(values.max()) > half)
    return np.greater(values, half if soft else 0)


def _notes(masks: dict[int, _Mask], entries: Sequence[Entry], size: int) -> Iterator[str]:
    turned = [entries[index] for index, mask in masks.items() if mask.was_turned]
    if turned:
        yield f"{len(turned)} of {len(masks)} masks {TURNED} (first: {turned[0].id})"
    abnormal = {index: mask for index, mask in masks.items() if entries[index].label != 0}
    empty = [entries[index] for index, mask in abnormal.items() if mask.is_empty]
    if empty:
        yield f"{len(empty)} of {len(abnormal)} masks of abnormal images are all black (first: {empty[0].id})"
    lost = [entries[index] for index, mask in abnormal.items() if not mask.is_empty and not mask.inside.any()]
    if lost:
        few = f"{len(lost)} of {len(abnormal)} masks of abnormal images mark too little to be seen"
        yield f"{few} at {size} x {size} pixels (first: {lost[0].id})"
