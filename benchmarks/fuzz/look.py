"""Reading one file, or all that is found in a folder, as medad reads; and what that took."""

import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.memory import forget_peak, peak
from medad.data.entries import Entry, count_images, frames_of
from medad.data.finding import find_images
from medad.data.loading import load_images
from medad.data.notes import Facts
from medad.data.preprocessing import Preprocessing
from medad.data.readers import decode, read_header
from medad.data.repartition import Repartition
from medad.errors import MedadError

SQUARE = Preprocessing(64)
IMAGE, REFUSED, CRASH, HANG = "image", "refused", "crash", "hang"


@dataclass(frozen=True)
class Outcome:
    """What became of a file.

    Attributes
    ----------
    case, family, name : str
        Which file: what makes it again, what it is and what was done to it.
    what : str
        `IMAGE`, `REFUSED` (one clean error), `CRASH` (any other error, or the end of the process) or `HANG`.
    why : str
        The reason or the traceback.
    seconds : float
        That reading took.
    memory : int
        That reading added to the process at its highest, in bytes.
    """

    case: str
    family: str
    name: str
    what: str
    why: str
    seconds: float
    memory: int


def look(case: str, family: str, path: Path) -> Outcome:
    """Read the file or folder at `path`."""
    before, begin = forget_peak(), time.perf_counter()
    try:
        what, why = IMAGE, _folder(path) if path.is_dir() and not path.is_symlink() else _file(path)
    except MedadError as error:
        what, why = REFUSED, str(error)
    except Exception:
        what, why = CRASH, traceback.format_exc()
    return Outcome(case, family, path.name, what, why, time.perf_counter() - begin, peak() - before)


def _file(path: Path) -> str:
    """Count, then read the first and the last frame of a file."""
    ((entry, count),) = count_images([Entry(path.name, path)])
    entries = frames_of(entry, count)
    for entry in (entries[0], entries[-1]) if len(entries) > 1 else entries:
        read_header(path, entry.frame)
        image = decode(path, entry.frame)
        shown, applied = SQUARE.rule(image)
        square = SQUARE(shown, image.header.spacing)
        if square.shape != (1, 64, 64) or square.dtype not in (np.uint8, np.uint16):
            raise ValueError(f"{square.dtype} {square.shape} is no image")
        Facts.of(image, shown, applied, square)
    return f"{len(entries)} images"


def _folder(path: Path) -> str:
    """Read a folder by its lists, then by an index such as DICOMDIR, then all that is found in it."""
    with suppress(MedadError):
        load_images(Repartition.read(path).normal, SQUARE, 1)
    with suppress(MedadError):
        load_images(find_images([path / "DICOMDIR"]).entries, SQUARE, 1)
    loaded = load_images(find_images([path]).entries, SQUARE, 1)
    return f"{len(loaded.images)} images; " + "; ".join(f"{one.path.name}: {one.reason}" for one in loaded.failures)
