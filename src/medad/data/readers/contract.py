"""What a reader is, and what it returns."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from medad.errors import MedadError


class UnreadableImage(MedadError):
    """A file that is not an image that medad can read; `path` and `reason` say which and why."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason


@dataclass(frozen=True)
class Header:
    """What a file says of one of its images beside the pixels; empty or None what it does not say.

    Attributes
    ----------
    patient, study, series : str
        As the file names them.
    view, laterality, manufacturer : str
        Such as ``"PA"``, ``"L"`` and the name of a company.
    sex, age : str
        Of the patient, in the words of the format, such as ``"F"`` and ``"063Y"``.
    photometric, syntax : str
        How the pixels are meant and how they are compressed, in the words of the format.
    bits : int or None
        Bits of a pixel that hold its value, such as 12 of the 16 that are stored.
    spacing : tuple of float or None
        Millimetres from one row to the next, and from one column to the next; of pixels that are not square, but of
        unknown size, any two numbers in their ratio.
    """

    patient: str = ""
    study: str = ""
    series: str = ""
    view: str = ""
    laterality: str = ""
    manufacturer: str = ""
    sex: str = ""
    age: str = ""
    photometric: str = ""
    syntax: str = ""
    bits: int | None = None
    spacing: tuple[float, float] | None = None


@dataclass(frozen=True)
class Decoded:
    """One decoded image, in the values that the file means, and how the file stored it.

    Which of them becomes black and which white, a rule decides: see :mod:`medad.data.intensity`.

    Attributes
    ----------
    pixels : ndarray
        (H, W) or (H, W, 3) of any number type, finite where `padding` is not set, as every viewer shows the image:
        turned as EXIF says; signed, rescaled to physical units where the file tells how.
    format : str
        ``"PNG"``, ``"DICOM"``...
    mode : str
        How the file stores a pixel, such as ``"RGB"`` or, in Pillow's words, ``"I;16"``.
    header : Header
        What else the file says; its patient is that which `Reader.header` returns.
    white : float or None
        The value that stands for white where 0 stands for black: the highest that the declared depth can hold. None
        where the values have no white of their own, as signed and floating-point ones.
    inverted : bool
        Whether the lowest value is the brightest, as in MONOCHROME1 and WhiteIsZero.
    display : callable or None
        Takes values of pixels to [0, 1], ``float``, as the file itself wants them shown, before `inverted`.
    padding : ndarray or None
        (H, W) ``bool``: pixels that hold no value; they count for no range and become black.
    population : ndarray or None
        Values that a range is taken from, where one range is to serve several frames, as of a volume.
    turned : int
        The EXIF orientation that was applied, 1 to 8.
    remarks : tuple of str
        What the user should know was done or left out, such as ``"transparency laid on black"``; counted over files.
    """

    pixels: np.ndarray
    format: str
    mode: str
    header: Header = Header()
    white: float | None = None
    inverted: bool = False
    display: Callable[[np.ndarray], np.ndarray] | None = None
    padding: np.ndarray | None = None
    population: np.ndarray | None = None
    turned: int = 1
    remarks: tuple[str, ...] = ()


class Reader(Protocol):
    """One way of reading image files. A library that is slow to import is imported where it first decodes.

    Frames are counted from 1, as in DICOM. Whatever a method raises becomes an `UnreadableImage`.

    Attributes
    ----------
    name, version : str
        Decoded images are kept by them: raise the version when the same file would give other pixels or facts.
    formats : tuple of str
        What it reads, in the user's words.
    suffixes : tuple of str
        Endings of file names that promise an image, in lower case; files without one are looked into.
    stills : tuple of str
        Those of them that promise a single one: when a folder is searched, such files are not opened.
    """

    name: str
    version: str
    formats: tuple[str, ...]
    suffixes: tuple[str, ...]
    stills: tuple[str, ...]

    def knows(self, head: bytes) -> bool:
        """Return whether a file that begins with `head` (512 bytes, fewer if it is shorter) is one of its own."""

    def frames(self, path: Path) -> int:
        """Return how many images the file holds, without decoding them; 0 for one that is not meant to hold any."""

    def header(self, path: Path, frame: int | None) -> Header:
        """Return what the file says of a frame, without decoding it."""

    def read(self, path: Path, frame: int | None) -> Decoded:
        """Decode a frame; None is the only one there is, see `the_frame`."""


def the_frame(path: Path, frame: int | None, count: int) -> int:
    """Return which of the `count` frames of the file is meant, from 1.

    Raises
    ------
    UnreadableImage
        If there is no such frame, or it is not said which of several is meant.
    """
    if frame is None and count > 1:
        which = f"export one file per frame, or list them as {path.name}#1 to {path.name}#{count}"
        raise UnreadableImage(path, f"has {count} frames: {which}")
    if frame is not None and not 1 <= frame <= count:
        raise UnreadableImage(path, f"no such frame, the file has {count}")
    return frame or 1


def finite(values: np.ndarray, path: Path) -> np.ndarray:
    """Return the values of a file as they are.

    Raises
    ------
    UnreadableImage
        If some are no numbers.
    """
    if not np.isfinite(values).all():
        raise UnreadableImage(path, "holds NaN or infinite values: replace them and save it again")
    return values
