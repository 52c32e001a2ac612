"""Decoded images on disk, found again by the content of the files that they came from."""

import functools
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import PIL

from medad.data.entries import Entry
from medad.data.notes import Facts
from medad.data.parallel import parallel_map
from medad.data.preprocessing import Preprocessing
from medad.data.readers import find_reader
from medad.data.readers.contract import Header
from medad.errors import UserError
from medad.files import open_plain, replacing

FORMAT = 4  # raise it when the same files would give other arrays or facts


@dataclass(frozen=True)
class Stored:
    """The decoded images of a list of entries; nothing of it that is kept names an image or a patient.

    Attributes
    ----------
    pixels : ndarray
        ``uint8`` or ``uint16`` (N, C, S, S): the images that could be read, in order.
    failures : dict
        Position in the list of entries -> why it could not be read.
    facts : tuple of Facts
        How the file of each of these images stored it.
    headers : tuple of Header or None
        What the files say of each; never kept, so that None stands for those of the cache.
    """

    pixels: np.ndarray
    failures: dict[int, str]
    facts: tuple[Facts, ...]
    headers: tuple[Header, ...] | None = None


def cache_folder() -> Path:
    """Return ``$MEDAD_CACHE``, else ``~/.cache/medad``, else, for a user without a home, a private temporary folder.

    Raises
    ------
    UserError
        If ``$MEDAD_CACHE`` begins with the home of somebody who has none.
    """
    chosen = os.environ.get("MEDAD_CACHE")
    try:
        return Path(chosen or "~/.cache/medad").expanduser()
    except RuntimeError:  # as in a container: HOME is not set and the list of users does not know who this is
        if chosen:
            raise UserError(f"MEDAD_CACHE={chosen}: ~ is no known folder here: give the whole path") from None
        return _without_home()


@functools.cache
def _without_home() -> Path:
    """Return a temporary folder that nobody else can look into; the same one each time, unless others made it."""
    folder = Path(tempfile.gettempdir()) / f"medad-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder if folder.lstat().st_uid == os.getuid() else Path(tempfile.mkdtemp(prefix="medad-"))


def cache_key(entries: Sequence[Entry], preprocessing: Preprocessing, jobs: int | None = None) -> str:
    """Digest ids, frames and contents in order, the readers and their versions, and the preprocessing."""
    once = functools.cache(_content)  # also of a file that holds many images
    contents = parallel_map(lambda entry: [entry.id, entry.frame, *once(entry.path)], entries, "checking files", jobs)
    whole = json.dumps([FORMAT, PIL.__version__, asdict(preprocessing), *contents])  # Pillow resizes
    return hashlib.blake2b(whole.encode(), digest_size=16).hexdigest()


def _content(file: Path) -> tuple[str, str, str]:
    """Return a digest of the file, and name and version of its reader."""
    try:
        reader = find_reader(file)
    except OSError:
        reader = None
    return digest(file), *((reader.name, reader.version) if reader else ("", ""))


def digest(file: Path) -> str:
    """Return a digest of what is in `file`; empty if it cannot be read."""
    try:
        with open_plain(file) as stream:
            return hashlib.file_digest(stream, hashlib.blake2b).hexdigest()
    except OSError:
        return ""  # decoding will say why


def load(key: str) -> Stored | None:
    """Return what is stored under `key`, pixels memory-mapped and read-only; None if absent or damaged."""
    array, rest = _files(key)
    try:
        known = json.loads(rest.read_text(encoding="utf-8"))
        pixels = np.load(array, mmap_mode="r", allow_pickle=False)
        failures = {int(index): str(reason) for index, reason in known["failures"].items()}
        if pixels.shape != tuple(known["shape"]):
            return None
        return Stored(pixels, failures, tuple(_facts(facts) for facts in known["facts"]))
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _facts(stored: list[Any]) -> Facts:
    values: list[Any] = [tuple(value) if isinstance(value, list) else value for value in stored]
    return Facts(*values)


def store(key: str, stored: Stored) -> None:
    """Store under `key`, each file complete or not at all, the small one last.

    Raises
    ------
    OSError
        If the folder cannot be written or the disk is full; what was written of it is removed.
    """
    array, rest = _files(key)
    array.parent.mkdir(parents=True, exist_ok=True)
    facts = [astuple(facts) for facts in stored.facts]
    known = {"shape": stored.pixels.shape, "failures": stored.failures, "facts": facts}
    _write(array, lambda stream: np.save(stream, stored.pixels, allow_pickle=False))
    _write(rest, lambda stream: stream.write(json.dumps(known).encode()))


def _files(key: str) -> tuple[Path, Path]:
    folder = cache_folder() / "images"
    return folder / f"{key}.npy", folder / f"{key}.json"


def _write(file: Path, write: Callable[[IO[bytes]], object]) -> None:
    with replacing(file) as partial, partial.open("wb") as stream:
        write(stream)
