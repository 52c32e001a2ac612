"""Ways of damaging a file; each takes its bytes and a generator, and returns others."""

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.fuzz.claims import claim, nest
from benchmarks.fuzz.sources import FAMILIES, sources

Change = Callable[[bytes, np.random.Generator], bytes]

HEAD = 1024  # bytes, where most of what decides stands
ODD = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF)
PNG = b"\x89PNG\r\n\x1a\n"


def flip(data: bytes, rng: np.random.Generator) -> bytes:
    """Flip 1 to 16 bits, half of them near the beginning."""
    changed = bytearray(data)
    for _ in range(rng.integers(1, 17)):
        changed[_place(len(data), rng)] ^= 1 << rng.integers(8)
    return bytes(changed)


def cut(data: bytes, rng: np.random.Generator) -> bytes:
    """Cut the end off."""
    return data[: _place(len(data), rng)]


def edit(data: bytes, rng: np.random.Generator) -> bytes:
    """Overwrite 1 to 4 numbers of the header by odd ones, such as those that claim 4 GB."""
    changed = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        width = int(rng.choice([1, 2, 4, 8]))
        number = ODD[rng.integers(len(ODD))] & (1 << 8 * width) - 1
        place = _place(len(data), rng)
        changed[place : place + width] = number.to_bytes(width, "little" if rng.integers(2) else "big")
    return bytes(changed[: len(data)])


def blot(data: bytes, rng: np.random.Generator) -> bytes:
    """Overwrite a stretch with one byte or with noise."""
    begin, length = _place(len(data), rng), int(rng.integers(1, 2048))
    stretch = [b"\0" * length, b"\xff" * length, rng.bytes(length)][rng.integers(3)]
    return (data[:begin] + stretch + data[begin + length :])[: max(len(data), 1)]


def shift(data: bytes, rng: np.random.Generator) -> bytes:
    """Take a stretch out, or write it twice."""
    begin, length = _place(len(data), rng), int(rng.integers(1, 256))
    stretch = data[begin : begin + length]
    return data[:begin] + (stretch * 2 if rng.integers(2) else b"") + data[begin + length :]


CHANGES: tuple[Change, ...] = (flip, cut, edit, blot, shift, claim, nest)


def mutation(seed: int, number: int) -> tuple[str, str, bytes]:
    """Make one damaged file.

    Parameters
    ----------
    seed, number : int
        They alone decide, for one version of pydicom, nibabel and Pillow.

    Returns
    -------
    family : str
        One of `FAMILIES`.
    name : str
        What was done to which file, with its suffix.
    data : bytes
        The contents.
    """
    rng = np.random.default_rng([seed, number])
    family = FAMILIES[number % len(FAMILIES)]
    whole = sources(family)
    name, data = whole[rng.integers(len(whole))]
    change = CHANGES[rng.integers(len(CHANGES))]
    where = _inside if rng.integers(2) else _outside
    return family, f"{number}-{change.__name__}-{Path(name).name}", where(data, change, rng)


def _place(length: int, rng: np.random.Generator) -> int:
    return int(rng.integers(max(1, min(length, HEAD) if rng.integers(2) else length)))


def _outside(data: bytes, change: Change, rng: np.random.Generator) -> bytes:
    return change(data, rng)


def _inside(data: bytes, change: Change, rng: np.random.Generator) -> bytes:
    """Change what is compressed, or behind checksums, in such a way that only a closer look finds it."""
    if data.startswith(b"\x1f\x8b"):
        return gzip.compress(change(gzip.decompress(data), rng), 1)
    if data.startswith(b"PK"):
        return _zipped(data, change, rng)
    changed = change(data, rng)
    return _with_checksums(changed) if changed.startswith(PNG) else changed


def _zipped(data: bytes, change: Change, rng: np.random.Generator) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        victim = rng.integers(len(old.namelist()))
        for number, name in enumerate(old.namelist()):
            new.writestr(zipfile.ZipInfo(name), change(old.read(name), rng) if number == victim else old.read(name))
    return stream.getvalue()


def _with_checksums(data: bytes) -> bytes:
    """Write the right checksum behind every chunk of a PNG file."""
    mended, at = bytearray(data), len(PNG)
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        mended[end : end + 4] = zlib.crc32(data[at + 4 : end]).to_bytes(4, "big") if end + 4 <= len(data) else b""
        at = end + 4
    return bytes(mended)
