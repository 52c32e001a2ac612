"""Entries to an image set: decoded once in parallel, kept in the cache."""

from collections.abc import Iterable, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import TypeVar

import numpy as np

from medad.data import cache as disk
from medad.data.cache import Stored
from medad.data.entries import Entry
from medad.data.groups import columns_of, of_header
from medad.data.imageset import ImageSet
from medad.data.intensity import widen
from medad.data.masks import load_masks
from medad.data.notes import Facts, describe, intensity_groups
from medad.data.parallel import parallel_map
from medad.data.preprocessing import Preprocessing
from medad.data.readers import UnreadableImage, decode, pillow_is_quiet, read_header
from medad.data.readers.contract import Header
from medad.errors import UserError
from medad.memory import keep_pictures

Known = TypeVar("Known")
DICOM = "DICOM"  # the format whose files tell more than pixels


@dataclass(frozen=True)
class Failure:
    """A file that could not be read, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Loaded:
    """The images that could be read, the files that could not, and lines that the user should see.

    ``intensities`` counts what the intensity rule did, by format and depth; ``facts`` tells how the file of each image
    stored it.
    """

    images: ImageSet
    failures: tuple[Failure, ...]
    notes: tuple[str, ...]
    intensities: dict[str, int]
    facts: tuple[Facts, ...]


@pillow_is_quiet()
def load_images(
    entries: Sequence[Entry],
    preprocessing: Preprocessing,
    jobs: int | None = None,
    cache: bool = True,
    stop: Event | None = None,
) -> Loaded:
    """Load images, from the cache when the same files were decoded before.

    If one image has 16 bits, the whole set is ``uint16``. Labels, masks, patients and kinds are
    those of the entries: labels only if all are known, masks only if all abnormal images have one;
    then the masks of normal images without one are empty. Where an entry has no patient, or lacks a
    fact of :data:`medad.data.groups.GROUPS`, the file may know it.

    Parameters
    ----------
    entries : sequence of Entry
        Which files, and what is known about each.
    preprocessing : Preprocessing
        Size and channels of the result.
    jobs : int, optional
        Number of threads; None takes one per core.
    cache : bool
        Whether to look in the cache and to keep there what was decoded.
    stop : Event, optional
        Once another thread sets it, decoding ends with ``CancelledError``.

    Returns
    -------
    Loaded
        Images in the order of `entries`, without those in `failures`. With the cache the pixels are
        usually memory-mapped and read-only.

    Raises
    ------
    UserError
        If a mask cannot be read or is not as large as its image.
    """
    stored, problems = (
        _cached(entries, preprocessing, jobs, stop) if cache else (_decode_all(entries, preprocessing, jobs, stop), ())
    )
    kept = [entry for index, entry in enumerate(entries) if index not in stored.failures]
    known = [entry.label for entry in kept if entry.label is not None]
    headers = _headers(kept, stored, jobs)
    groups = [{**of_header(header), **entry.groups} for entry, header in zip(kept, headers, strict=True)]
    masks, lacking = load_masks(kept, stored, preprocessing, jobs)
    images = ImageSet(
        pixels=stored.pixels,
        ids=tuple(entry.id for entry in kept),
        paths=tuple(str(entry.path) for entry in kept),
        labels=np.array(known, dtype=np.int8) if len(known) == len(kept) else None,
        masks=masks,
        patients=_unless_empty(entry.patient or header.patient for entry, header in zip(kept, headers, strict=True)),
        kinds=_unless_empty(entry.kind for entry in kept),
        frames=_unless_empty(entry.frame for entry in kept),
        groups=columns_of(groups),
    )
    failures = tuple(Failure(entries[index].path, reason) for index, reason in stored.failures.items())
    notes = (*describe(stored.facts, images.ids, preprocessing), *problems, *lacking)
    return Loaded(images, failures, notes, intensity_groups(stored.facts), stored.facts)


def load_or_fail(entries: Sequence[Entry], preprocessing: Preprocessing, what: str, jobs: int | None = None) -> Loaded:
    """Load images of which every one is needed, as in training; otherwise as `load_images`.

    Parameters
    ----------
    what : str
        What the images are, for the message: ``"normal images"``.

    Raises
    ------
    UserError
        If a file cannot be read: names the first, its reason and how many more there are.
    """
    loaded = load_images(entries, preprocessing, jobs)
    if loaded.failures:
        first, more = loaded.failures[0], len(loaded.failures) - 1
        others = f" (and {more} more of {len(entries)})" if more else ""
        raise UserError(f"{what}: {first.path}: {first.reason}{others}: repair or remove what cannot be read")
    return loaded


def _unless_empty(values: Iterable[Known]) -> tuple[Known, ...] | None:
    values = tuple(values)
    return values if any(values) else None


def _headers(entries: Sequence[Entry], stored: Stored, jobs: int | None) -> Sequence[Header]:
    """Return what the file of each image says; it is asked anew where the image comes from the cache."""
    if stored.headers is not None:
        return stored.headers
    headers = [Header()] * len(entries)
    telling = [i for i, facts in enumerate(stored.facts) if facts.patient or facts.format == DICOM]
    ask = lambda i: read_header(entries[i].path, entries[i].frame)  # noqa: E731
    for i, header in zip(telling, parallel_map(ask, telling, "reading headers", jobs), strict=True):
        headers[i] = header
    return headers


def _cached(
    entries: Sequence[Entry], preprocessing: Preprocessing, jobs: int | None, stop: Event | None
) -> tuple[Stored, tuple[str, ...]]:
    """Return the images from the cache or from the files, and a note if they could not be cached."""
    key = disk.cache_key(entries, preprocessing, jobs)
    stored = disk.load(key)
    if stored is not None and not any(_is_readable(entries[index]) for index in stored.failures):
        return stored, ()
    stored = _decode_all(entries, preprocessing, jobs, stop)
    try:
        disk.store(key, stored)
    except OSError as error:
        why = f"cache {disk.cache_folder()} cannot be written ({error.strerror or error})"
        return stored, (f"{why}, images are decoded anew each time: point MEDAD_CACHE at another folder",)
    kept = disk.load(key)
    return (replace(kept, headers=stored.headers) if kept else stored), ()


def _is_readable(entry: Entry) -> bool:
    """Look again at a file that failed: its content is the same, but the fault may have been the drive's."""
    try:
        decode(entry.path, entry.frame)
    except UnreadableImage:
        return False
    return True


def _decode_all(entries: Sequence[Entry], preprocessing: Preprocessing, jobs: int | None, stop: Event | None) -> Stored:
    def read(entry: Entry) -> tuple[np.ndarray, Facts, Header] | UnreadableImage:
        if stop is not None and stop.is_set():
            raise CancelledError
        try:
            image = decode(entry.path, entry.frame)
        except UnreadableImage as error:
            return error
        shown, applied = rule(image)
        result = preprocessing(shown, image.header.spacing)
        return result, Facts.of(image, shown, applied, result), image.header

    keep_pictures()
    size, rule = preprocessing.size, preprocessing.rule
    pixels = np.empty((len(entries), preprocessing.channels, size, size), np.uint8)
    facts: list[Facts] = []
    headers: list[Header] = []
    failures: dict[int, str] = {}
    for index, result in enumerate(parallel_map(read, entries, "reading images", jobs)):
        if isinstance(result, UnreadableImage):
            failures[index] = result.reason
            continue
        image, fact, header = result
        if image.dtype != pixels.dtype:
            pixels, image = widen(pixels), widen(image)
        pixels[len(facts)] = image
        facts.append(fact)
        headers.append(header)
    return Stored(pixels[: len(facts)], failures, tuple(facts), tuple(headers))
