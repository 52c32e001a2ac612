"""Descriptors on disk, found again by the content of the images and by the extractor."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import numpy as np

from medad.data.cache import cache_folder

FORMAT = 1  # raise it when the same extractor would give other descriptors
AT_ONCE = 500  # keys of a question


class DescriptorStore:
    """The descriptors of one extractor, one row of a small database for each image.

    It is a cache: whatever cannot be read or written is as good as not there, and nothing in it names an image.

    Parameters
    ----------
    key : str
        Of the extractor, see :func:`medad.detectors.features.extractors.registry.extractor_key`.
    """

    def __init__(self, key: str) -> None:
        self.file: Path = cache_folder() / "descriptors" / f"{key}-{FORMAT}.sqlite"

    def read(self, digests: Sequence[bytes]) -> dict[bytes, np.ndarray]:
        """Return what is known of the images with these digests, float32 (D,) each."""
        found: dict[bytes, np.ndarray] = {}
        with suppress(sqlite3.Error, OSError), self._opened() as database:
            for start in range(0, len(digests), AT_ONCE):
                some = digests[start : start + AT_ONCE]
                marks = ",".join("?" * len(some))
                rows = database.execute(f"select digest, numbers from descriptors where digest in ({marks})", some)
                found |= {bytes(digest): np.frombuffer(numbers, np.float32) for digest, numbers in rows}
        return found

    def write(self, descriptors: Mapping[bytes, np.ndarray]) -> None:
        """Keep descriptors by the digests of their images."""
        rows = [(digest, np.ascontiguousarray(d, np.float32).tobytes()) for digest, d in descriptors.items()]
        with suppress(sqlite3.Error, OSError), self._opened() as database, database:
            database.executemany("insert or ignore into descriptors values (?, ?)", rows)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.file, timeout=30)) as database:
            database.execute("create table if not exists descriptors (digest blob primary key, numbers blob)")
            yield database
