"""Masks of the abnormal regions, all or none of them."""

from collections.abc import Sequence

import numpy as np

from medad.data.cache import Stored
from medad.data.entries import Entry
from medad.data.parallel import parallel_map
from medad.data.preprocessing import Preprocessing
from medad.data.readers import UnreadableImage, decode
from medad.errors import UserError


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
        Lines that the user should see.

    Raises
    ------
    UserError
        If a mask cannot be read or is not as large as its image.
    """
    paths = {index: entry.mask for index, entry in enumerate(entries) if entry.mask is not None}
    lacking = sum(entry.mask is None and entry.label != 0 for entry in entries)
    if not paths or lacking:
        note = f"{lacking} abnormal images have no mask: pixel metrics are left out"
        return None, (note,) if paths else ()

    def read(index: int) -> np.ndarray:
        try:
            pixels = decode(paths[index]).pixels
            inside = np.greater(pixels if pixels.ndim == 2 else pixels.max(axis=2), 0)
        except UnreadableImage as error:
            raise UserError(f"mask {error}: repair it or take it off the list") from None
        (height, width), image = inside.shape, stored.facts[index]
        if (width, height) != (image.width, image.height):
            sizes = f"{width} x {height} pixels, its image has {image.width} x {image.height}"
            raise UserError(f"mask {paths[index]}: {sizes}: draw it at the size of the image")
        return preprocessing.mask(inside, stored.facts[index].spacing)

    masks = np.zeros((len(entries), preprocessing.size, preprocessing.size), dtype=bool)
    for index, mask in zip(paths, parallel_map(read, list(paths), "reading masks", jobs), strict=True):
        masks[index] = mask
    return masks, ()
