"""What was read of large files, kept as long as it fits a budget of memory: their frames are asked for one by one."""

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from threading import Condition
from typing import Generic, TypeVar

from medad.data.readers.contract import UnreadableImage

Key = tuple[Path, int, int]
Kept = TypeVar("Kept")
BUDGET = 768 * 2**20  # bytes


class KeptFiles(Generic[Kept]):
    """The contents of the files that were read last, each read once however many threads ask.

    Parameters
    ----------
    budget : int
        Bytes that all of them, and those that are being read, may take; one that is larger is kept alone.
    """

    def __init__(self, budget: int = BUDGET) -> None:
        self._budget = budget
        self._done: OrderedDict[Key, tuple[int, Kept | UnreadableImage]] = OrderedDict()
        self._reading: dict[Key, int] = {}
        self._changed = Condition()

    def get(self, path: Path, size: int, read: Callable[[Path], Kept]) -> Kept:
        """Return what `read` makes of a file, which takes `size` bytes, now or earlier.

        Raises
        ------
        UnreadableImage
            If `read` did; that, too, is remembered. Any other error is not: it may be the drive's.
        """
        stat = path.stat()
        key = (path, stat.st_mtime_ns, stat.st_size)
        with self._changed:
            self._changed.wait_for(lambda: key not in self._reading and (key in self._done or self._has_room(size)))
            if key in self._done:
                self._done.move_to_end(key)
                return _told(self._done[key][1])
            self._reading[key] = size
        result: Kept | UnreadableImage | None = None
        try:
            result = read(path)
        except UnreadableImage as error:
            result = error
        finally:
            with self._changed:
                del self._reading[key]
                if result is not None:
                    self._done[key] = (0 if isinstance(result, UnreadableImage) else size, result)
                self._changed.notify_all()
        return _told(result)

    def _has_room(self, size: int) -> bool:
        """Drop what was used longest ago until `size` bytes fit beside what is being read."""
        reading = sum(self._reading.values())
        while self._done and reading + size + sum(bytes for bytes, _ in self._done.values()) > self._budget:
            self._done.popitem(last=False)
        return not self._reading or reading + size <= self._budget


def _told(result: Kept | UnreadableImage) -> Kept:
    if isinstance(result, UnreadableImage):
        raise UnreadableImage(result.path, result.reason)
    return result
