"""Every file is decoded once; what is kept of an image is small: its area means at 64 x 64, and facts."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from medad.data.audit.marks import has_text, margin
from medad.data.entries import Entry
from medad.data.intensity import EXACT_16_BIT, Intensity
from medad.data.notes import Facts
from medad.data.parallel import parallel_map
from medad.data.preprocessing import GREY
from medad.data.readers import Header, UnreadableImage, decode, pillow_is_quiet

SIDE = 64


@dataclass(frozen=True)
class Look:
    """What is kept of an image beside its small picture.

    Attributes
    ----------
    facts : Facts
        How the file stores it, and what the intensity rule did.
    header : Header
        What the file says of it; it may name the patient, so that it must not be written anywhere.
    file_size : int
        Bytes.
    margin : tuple of float
        Share of its height and width, from each edge (top, bottom, left, right), that is flat.
    text : bool
        Whether letters seem to be burned in.
    """

    facts: Facts
    header: Header
    file_size: int
    margin: tuple[float, float, float, float]
    text: bool


@dataclass(frozen=True)
class Looks:
    """What was seen of a list of images.

    Attributes
    ----------
    pixels : ndarray
        (N, 64, 64) ``uint16``, white is 65535; zero where the image could not be read.
    looks : list of Look or None
        None where it could not be read.
    failures : dict
        Position -> why.
    """

    pixels: np.ndarray
    looks: list[Look | None]
    failures: dict[int, str]


@pillow_is_quiet()
def look_at(entries: Sequence[Entry], file: Path, rule: Intensity, jobs: int | None = None) -> Looks:
    """Decode every image once.

    Parameters
    ----------
    entries : sequence of Entry
        The images.
    file : Path
        The small pictures, 8 KiB each, are kept there and mapped into memory; the caller removes it.
    rule : Intensity
        Which value becomes black and which white.
    jobs : int, optional
        Number of threads; None takes one per core.
    """
    shape = (max(len(entries), 1), SIDE, SIDE)
    pixels = np.memmap(file, np.uint16, "w+", shape=shape)[: len(entries)]
    looks: list[Look | None] = []
    failures: dict[int, str] = {}
    for index, seen in enumerate(parallel_map(partial(_look, rule=rule), entries, "reading images", jobs)):
        if isinstance(seen, UnreadableImage):
            failures[index] = seen.reason
            looks.append(None)
        else:
            looks.append(seen[0])
            pixels[index] = seen[1]
    return Looks(pixels, looks, failures)


def _look(entry: Entry, rule: Intensity) -> tuple[Look, np.ndarray] | UnreadableImage:
    try:
        image = decode(entry.path, entry.frame)
    except UnreadableImage as error:
        return error
    shown, applied = rule(image)
    grey = (shown if shown.ndim == 2 else shown @ GREY).astype(np.float32)
    grey *= EXACT_16_BIT if shown.dtype == np.uint8 else 1
    small = area_means(grey)
    facts = Facts.of(image, shown, applied, small[None])
    return Look(facts, image.header, _size(entry.path), margin(grey), has_text(grey)), small


def area_means(grey: np.ndarray) -> np.ndarray:
    """Return the means of 64 x 64 equal rectangles of (H, W) values from 0 to 65535, ``uint16``."""
    return np.rint(np.asarray(Image.fromarray(grey).resize((SIDE, SIDE), Image.Resampling.BOX))).astype(np.uint16)


def _size(path: Path) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
