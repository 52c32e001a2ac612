"""Files that are there whole or not at all, and opening what may be no file."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

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
    """Wait until no other process holds the lock file `path`, and hold it; a process that dies lets go of it."""
    with path.open("ab") as file:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
