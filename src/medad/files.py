"""Files that are there whole or not at all, and opening what may be no file."""

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import IO

from medad.errors import UserError

try:
    import fcntl
except ImportError:  # not on this system: nothing is locked
    fcntl = None  # type: ignore[assignment]


def open_plain(path: Path) -> BufferedReader:
    """Open a file of the user for reading.

    Raises
    ------
    OSError
        If it cannot be opened, or is a pipe, a device or a socket: opening may wait for ever there, or reading not end.
    """
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # of a folder the system says that it is one
        raise OSError(errno.EINVAL, "a pipe, a device or a socket, not a file", os.fspath(path))
    return open(path, "rb")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file beside `path` that takes its place once it is complete.

    Parameters
    ----------
    path : Path
        The file to write; if writing fails it stays as it was, and nothing is left beside it.

    Yields
    ------
    Path
        What to write to, in the same folder. Its name holds the process's number: several processes
        may write the same file at once.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait until no other process holds the lock file `path`, and hold it; a process that dies lets go of it.

    Raises
    ------
    UserError
        If the file system cannot lock files.
    """
    with path.open("ab") as file:
        _lock(file, path.parent)
        yield


def check_locks(folder: Path) -> None:
    """Refuse a folder on a file system that cannot lock files, before anything is done there; see `locked`."""
    with tempfile.TemporaryFile(dir=folder) as file:
        _lock(file, folder)


def _lock(file: IO[bytes], folder: Path) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError as error:
        cure = "choose another `out`, on a local drive, or mount this one with flock"
        raise UserError(f"{folder}: its file system cannot lock files ({error.strerror}); {cure}") from error
