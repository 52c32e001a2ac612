"""The images of an archive in one file: decoded some at a time, and past files that cannot be read."""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from medad.data.entries import Entry
from medad.data.imageset import ImageSet
from medad.data.loading import Failure, Loaded
from medad.data.pixel_file import PixelFile
from medad.data.preprocessing import Preprocessing
from medad.workflows.decoding import decode_ahead
from medad.workflows.findings import CHUNK
from medad.workflows.notes import say

Known = TypeVar("Known")


@dataclass
class Archive:
    """What was read: the images, mapped from a file, the files that could not be read, and what the rule did."""

    images: ImageSet | None = None
    failures: list[Failure] = field(default_factory=list)
    intensities: Counter[str] = field(default_factory=Counter)


def read_archive(
    entries: Sequence[Entry], preprocessing: Preprocessing, file: Path, what: str, jobs: int | None
) -> Archive:
    """Decode images into `file`; memory does not grow with their number, and nothing is put into the cache.

    Parameters
    ----------
    entries : sequence of Entry
        At least one; what they say beside ids, paths and patients is left out.
    preprocessing : Preprocessing
        Size and channels of the result.
    file : Path
        The ``.npy`` file to write.
    what : str
        What the images are, for messages: ``"normal images"``.
    jobs : int, optional
        Number of threads; all cores by default.

    Returns
    -------
    Archive
        ``images`` is None where none could be read.
    """
    found, pixels, parts = Archive(), PixelFile(file), []
    with closing(decode_ahead(entries, preprocessing, CHUNK, jobs)) as chunks:
        for number, loaded in enumerate(chunks):
            if len(entries) > CHUNK:
                say(f"{what} from {number * CHUNK + 1} on, of {len(entries)}")
            for note in loaded.notes:
                say(f"{what}: {note}")
            found.failures += loaded.failures
            found.intensities.update(loaded.intensities)
            if len(loaded.images):
                pixels.add(loaded.images.pixels)
                parts.append(_without_pixels(loaded))
    if parts:
        found.images = joined(parts, pixels.pixels())
    return found


def _without_pixels(loaded: Loaded) -> ImageSet:
    """Return what is known about images, with pixels that take no memory."""
    images = loaded.images.unlabelled()
    return replace(images, pixels=images.pixels[:, :0, :0, :0].copy())


def joined(parts: Sequence[ImageSet], pixels: np.ndarray) -> ImageSet:
    """Return several sets as one, without labels, given the pixels of all."""
    return ImageSet(
        pixels,
        ids=tuple(name for part in parts for name in part.ids),
        paths=tuple(path for part in parts for path in part.paths),
        patients=_unless_empty(name for part in parts for name in part.patients or ("",) * len(part)),
        frames=_unless_empty(frame for part in parts for frame in part.frames or (None,) * len(part)),
    )


def _unless_empty(values: Iterable[Known]) -> tuple[Known, ...] | None:
    values = tuple(values)
    return values if any(values) else None
