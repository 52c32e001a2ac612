"""A file to its reader, its number of images, its pixels and its header."""

import codecs
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medad.data.readers import registry
from medad.data.readers.contract import Decoded, Header, Reader, UnreadableImage
from medad.files import open_plain

HEAD = 512  # bytes: a NIfTI header has its mark at 344, DICOM at 128
NO_TEXT = frozenset(range(32)) - frozenset(b"\t\n\f\r\x1b")
STOPS = (KeyboardInterrupt, SystemExit, GeneratorExit)
QUOTED = re.compile(r"""(?<!\w)b?(['"]).*?\1""")
MOST = 200  # letters of what a library says
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decode(path: Path, frame: int | None = None) -> Decoded:
    """Decode one image of a file, in the values that the file means.

    Parameters
    ----------
    path : Path
        The file; what it begins with chooses the reader, its name says nothing.
    frame : int, optional
        Which of several images, from 1; None is the only one there is.

    Raises
    ------
    UnreadableImage
        And nothing else, whatever the file holds.
    """
    with one_reason(path, frame):
        image = _reader(path).read(path, frame)
    if not image.pixels.size:
        raise UnreadableImage(path, "its image has no pixels: the header is damaged")
    return image


def read_header(path: Path, frame: int | None = None) -> Header:
    """Read what a file says of one of its images, which is not decoded; otherwise as `decode`."""
    with one_reason(path, frame):
        return _reader(path).header(path, frame)


def find_reader(path: Path) -> Reader | None:
    """Return the reader that knows the file by its first bytes; None if there is none.

    Raises
    ------
    OSError
        If the file cannot be opened.
    """
    return _knowing(_head(path))


def is_still(path: Path) -> bool:
    """Return whether the file's name promises a single image."""
    return path.name.lower().endswith(tuple(suffix for reader in registry.READERS for suffix in reader.stills))


def is_image(path: Path) -> bool:
    """Return whether the file's name promises an image, or its content is one."""
    if path.name.lower().endswith(tuple(suffix for reader in registry.READERS for suffix in reader.suffixes)):
        return True
    try:
        return find_reader(path) is not None and count_frames(path) > 0
    except OSError:
        return False


def count_frames(path: Path) -> int:
    """Return how many images a file holds: 0 for text and objects without one; 1 for what is damaged."""
    try:
        head = _head(path)
        reader = _knowing(head)
        if reader is None:
            return 0 if _is_text(head) else 1
        return reader.frames(path)
    except STOPS:
        raise
    except BaseException:  # libraries raise anything on damaged files
        return 1


def _head(path: Path) -> bytes:
    with open_plain(path) as stream:
        return stream.read(HEAD)


def _knowing(head: bytes) -> Reader | None:
    return next((reader for reader in registry.READERS if reader.knows(head)), None)


def _is_text(head: bytes) -> bool:
    return bool(head) and (head.startswith(UTF_16) or NO_TEXT.isdisjoint(head))


def _reader(path: Path) -> Reader:
    head = _head(path)
    if not head:
        raise UnreadableImage(path, "the file is empty")
    reader = _knowing(head)
    if reader is None:
        formats = ", ".join(name for reader in registry.READERS for name in reader.formats)
        raise UnreadableImage(path, f"not an image of a known format ({formats}), or its header is damaged")
    return reader


@contextmanager
def one_reason(path: Path, frame: int | None) -> Iterator[None]:
    """Turn whatever goes wrong into one reason, which names the frame."""
    where = "" if frame is None else f"frame {frame}: "
    try:
        yield
    except UnreadableImage as error:
        raise UnreadableImage(path, where + error.reason) from error
    except OSError as error:
        raise UnreadableImage(path, where + (error.strerror or _undecodable(error))) from error
    except STOPS:
        raise
    except BaseException as error:  # decoders raise anything on damaged files, those in Rust not even an Exception
        raise UnreadableImage(path, where + _undecodable(error)) from error


def _undecodable(error: BaseException) -> str:
    """Say what a library said, on one line, without what it quotes: that may be a patient's name."""
    said = QUOTED.sub("'...'", " ".join(str(error).split()))
    clean = "".join(letter for letter in said if letter.isascii() and letter.isprintable())
    return f"cannot be decoded ({clean[:MOST] or type(error).__name__})"
