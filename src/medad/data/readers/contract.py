"""What a reader is, and what it returns."""

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
    """What a file says of one of its images beside the pixels.

    Attributes
    ----------
    patient, study : str
        As the file names them; empty when it does not.
    bits : int or None
        Bits of a pixel that hold its value, such as 12 of the 16 that are stored.
    spacing : tuple of float or None
        Millimetres from one row to the next, and from one column to the next.
    """

    patient: str = ""
    study: str = ""
    bits: int | None = None
    spacing: tuple[float, float] | None = None


@dataclass(frozen=True)
class Decoded:
    """One decoded image and how the file stored it.

    Attributes
    ----------
    pixels : ndarray
        ``uint8`` or ``uint16`` (H, W), or ``uint8`` (H, W, 3).
    mode : str
        The mode that the file stores, in Pillow's words: ``"L"``, ``"RGB"``, ``"I;16"``, ``"F"``...
    rescaled : bool
        Whether the values were scaled by their own range to ``uint16``.
    header : Header
        What else the file says; its patient is that which `Reader.header` returns.
    """

    pixels: np.ndarray
    mode: str
    rescaled: bool = False
    header: Header = Header()


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
        """Return how many images the file holds, without decoding them."""

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
