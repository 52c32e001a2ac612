"""The normal images that disks are put into."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from medad.data.entries import Entry
from medad.data.finding import find_images
from medad.data.forms import is_mvtec
from medad.data.imageset import ImageSet
from medad.data.preprocessing import Preprocessing
from medad.data.repartition import FORMS, Repartition
from medad.errors import UserError
from medad.experiments.reproduce.pitfalls.background import LEAST, without_background
from medad.workflows.notes import say
from medad.workflows.splits import load

FEWEST = 5
TEST_SHARE = 0.4  # of the files of a folder of which nothing is known: those of the paper's training come first
BELOW, ABOVE = 8, 12  # slices of a volume that are trained on: of the paper's 256 those from 120 on, below 140


@dataclass(frozen=True)
class Heads:
    """Images with background 0.

    Attributes
    ----------
    pixels : ndarray
        (n, S, S) in [0, 1].
    left_out : int
        Number of images that have no background.
    fingerprint : str
        Of what was read.
    """

    pixels: np.ndarray
    left_out: int
    fingerprint: str


def read_heads(data: Path, most: int, size: int) -> Heads:
    """Read normal images for testing.

    Parameters
    ----------
    data : Path
        A data set, of which the normal test images are taken; or a folder of images or NIfTI volumes.
    most : int
        How many are read at most.
    size : int
        Side to which they are resized.

    Raises
    ------
    UserError
        If there are too few, of which one says why, or one cannot be read.
    """
    return _read(data, normal_images(data)[:most], size, "normal test images")[0]


def read_training(data: Path, size: int) -> ImageSet:
    """Read the normal images that models learn from: a data set's, or the first ones of a folder.

    The parameters and errors are those of `read_heads`.
    """
    heads, images = _read(data, training_images(data), size, "normal images for training")
    pixels = np.rint(heads.pixels * images.scale).astype(images.pixels.dtype)[:, None]
    return ImageSet(pixels, tuple(f"{i}" for i in range(len(pixels))), ("",) * len(pixels))


def _read(data: Path, entries: Sequence[Entry], size: int, what: str) -> tuple[Heads, ImageSet]:
    if len(entries) < FEWEST:
        raise UserError(f"{data}: {len(entries)} {what}; at least {FEWEST} are needed")
    images = load(entries, Preprocessing(size), what, None)
    pixels, sound = without_background(images.pixels[:, 0] / images.scale)
    left_out = int((~sound).sum())
    if sound.sum() < max(FEWEST, len(pixels) / 2):
        raise UserError(
            f"{data}: {left_out} of {len(pixels)} images have no black background of {LEAST:.0%} around one thing, "
            f"such as a head; half of them, and at least {FEWEST}, must have one"
        )
    if left_out:
        say(f"{left_out} of {len(pixels)} {what} have no background and are left out")
    return Heads(pixels[sound], left_out, images.fingerprint), images


def normal_images(data: Path) -> tuple[Entry, ...]:
    """Return the normal test images of a data set; of a plain folder the last ones of its files, as in the paper.

    Of a volume its middle slice is taken.
    """
    if _is_data_set(data):
        return tuple(entry for entry in Repartition.read(data).test if entry.label == 0)
    files = _files(data)
    return tuple(some[len(some) // 2] for some in files[_first_test(files) :])


def training_images(data: Path) -> tuple[Entry, ...]:
    """Return the normal images of a data set; of a plain folder the first ones, of a volume 20 slices of the middle."""
    if _is_data_set(data):
        return Repartition.read(data).normal
    files = _files(data)
    return tuple(entry for some in files[: _first_test(files)] for entry in _about_the_middle(some))


def _about_the_middle(slices: Sequence[Entry]) -> Sequence[Entry]:
    middle = len(slices) // 2
    return slices[max(middle - BELOW, 0) : middle + ABOVE]


def _is_data_set(data: Path) -> bool:
    listed = any((data / name).exists() for name in ("data.json", "manifest.csv", "normal"))
    return data.is_file() or listed or is_mvtec(data)


def _files(data: Path) -> list[list[Entry]]:
    """Return the images of each file of a plain folder."""
    if not data.is_dir():
        raise UserError(f"{data}: no such folder; give images, NIfTI volumes or a data set ({FORMS})")
    return [list(some) for _, some in groupby(find_images([data]).entries, lambda entry: entry.path)]


def _first_test(files: Sequence[Sequence[Entry]]) -> int:
    return len(files) - round(TEST_SHARE * len(files))
