"""Descriptors on disk, found again by the content of the images and by the extractor."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from hashlib import blake2b
from pathlib import Path

import numpy as np

from medad.data.cache import cache_folder

FORMAT = 2  # raise it when the same extractor would give other descriptors
AT_ONCE = 500  # keys of a question
SEAL = 16  # bytes before a descriptor that tell whether it is as it was written


class DescriptorStore:
    """The descriptors of one extractor, one row of a small database for each image.

    It is a cache: whatever cannot be read or written is as good as not there, and nothing in it names an image. A
    file that is damaged is replaced.

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
        with self._forgiving(), self._opened() as database:
            for start in range(0, len(digests), AT_ONCE):
                some = digests[start : start + AT_ONCE]
                marks = ",".join("?" * len(some))
                rows = database.execute(f"select digest, numbers from descriptors where digest in ({marks})", some)
                found |= {digest: numbers for digest, sealed in rows if (numbers := _unsealed(sealed)) is not None}
        return found

    def write(self, descriptors: Mapping[bytes, np.ndarray]) -> None:
        """Keep descriptors by the digests of their images."""
        rows = [(digest, _sealed(numbers)) for digest, numbers in descriptors.items()]
        with self._forgiving(), self._opened() as database, database:
            database.executemany("insert or replace into descriptors values (?, ?)", rows)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.file, timeout=30)) as database:
            database.execute("create table if not exists descriptors (digest blob primary key, numbers blob)")
            yield database

    @contextmanager
    def _forgiving(self) -> Iterator[None]:
        """Go on whatever is wrong with the file; a damaged one is removed."""
        try:
            yield
        except (sqlite3.OperationalError, OSError):
            pass  # busy, read-only, full, no folder
        except sqlite3.DatabaseError:
            with suppress(OSError):
                self.file.unlink()


def _sealed(numbers: np.ndarray) -> bytes:
    content = np.ascontiguousarray(numbers, np.float32).tobytes()
    return _seal(content) + content


def _unsealed(sealed: object) -> np.ndarray | None:
    """Return the descriptor that was sealed; None if its bytes have changed since."""
    if not isinstance(sealed, bytes) or sealed[:SEAL] != _seal(sealed[SEAL:]):
        return None
    return np.frombuffer(sealed, np.float32, offset=SEAL)


def _seal(content: bytes) -> bytes:
    return blake2b(content, digest_size=SEAL).digest()
