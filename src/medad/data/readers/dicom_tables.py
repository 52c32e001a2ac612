"""Lookup tables of DICOM files: those of grey values (PS3.3 C.11.1) and palettes of colours (C.7.6.3.1.5, C.7.9)."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from medad.data.readers.dicom_file import DicomFile, numbers, said

COLOURS = ("Red", "Green", "Blue")
ALL = 1 << 16  # entries: a table that says 0
DISCRETE, LINEAR, INDIRECT = range(3)  # kinds of segments


@dataclass(frozen=True)
class Table:
    """A table: `entries` (N,) of `bits` bits; the first one is for the value `first` and all below it."""

    entries: np.ndarray
    first: int
    bits: int

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Look values up; those above the last one that has an entry get the last entry."""
        index = np.nan_to_num(values) if values.dtype.kind == "f" else values.astype(np.int64)
        return self.entries[np.clip(index - self.first, 0, len(self.entries) - 1).astype(np.intp)]

    @property
    def white(self) -> int:
        """The highest value that an entry can have."""
        return 2**self.bits - 1


def grey_table(file: DicomFile, item: Any, signed: bool) -> Table:
    """Return the table of an item of ModalityLUTSequence or VOILUTSequence; `signed`: for values that may be negative.

    Raises
    ------
    UnreadableImage
        If it is incomplete.
    """
    count, first, bits = _descriptor(file, item, "LUTDescriptor", signed)
    return Table(_entries(file, said(item, "LUTData"), count, bits), first, bits)


def coloured(file: DicomFile, stored: np.ndarray) -> tuple[np.ndarray, float]:
    """Look up the colours of (H, W) values of a palette.

    Returns
    -------
    pixels : ndarray
        (H, W, 3).
    white : float
        Their highest possible value.
    """
    descriptor = "RedPaletteColorLookupTableDescriptor"  # one for all
    count, first, bits = _descriptor(file, file.data, descriptor, stored.dtype.kind == "i")
    tables = [Table(_palette(file, colour, count, bits), first, bits) for colour in COLOURS]
    return np.stack([table(stored) for table in tables], axis=2), float(tables[0].white)


def _descriptor(file: DicomFile, data: Any, keyword: str, signed: bool) -> tuple[int, int, int]:
    said_so = [int(number) for number in numbers(data, keyword)]
    if len(said_so) != 3 or not 1 <= said_so[2] <= 16:
        raise file.refuse(f"one of its lookup tables is damaged ({keyword})")
    count, first, bits = said_so
    first %= ALL  # whether it was read with or without a sign depends on the file
    return count % ALL or ALL, first - ALL if signed and first >= ALL // 2 else first, bits


def _palette(file: DicomFile, colour: str, count: int, bits: int) -> np.ndarray:
    plain = said(file.data, f"{colour}PaletteColorLookupTableData")
    if plain is not None:
        return _entries(file, plain, count, bits)
    segments = said(file.data, f"Segmented{colour}PaletteColorLookupTableData")
    words = _words(file, segments, len(segments or b"") if bits <= 8 else 0).tolist()
    return _fitting(_expanded(file, words, count, bits <= 8), bits)


def _entries(file: DicomFile, data: Any, count: int, bits: int) -> np.ndarray:
    words = _words(file, data, count)
    if len(words) < count:
        raise file.refuse(f"one of its lookup tables has {len(words)} of {count} entries: it is damaged")
    return _fitting(words[:count], bits)


def _fitting(entries: Any, bits: int) -> np.ndarray:
    return np.asarray(entries).astype(np.uint8 if bits <= 8 else np.uint16)


def _words(file: DicomFile, data: Any, bytewise: int) -> np.ndarray:
    """Return the numbers of a table; as bytes where there are no more than `bytewise`, one of which may be padding."""
    if not isinstance(data, bytes):
        return np.atleast_1d(np.asarray([] if data is None else data, np.int64)) % ALL
    if len(data) <= bytewise + bytewise % 2:
        return np.frombuffer(data, np.uint8)
    order = ">" if file.data.original_encoding[1] is False else "<"
    return np.frombuffer(data[: len(data) // 2 * 2], f"{order}u2")


def _expanded(file: DicomFile, words: list[int], count: int, eight: bool) -> list[int]:
    """Expand a segmented table (PS3.3 C.7.9.2), no further than to `count` entries."""
    entries: list[int] = []
    at = 0
    try:
        while at + 1 < len(words) and len(entries) < count:
            if words[at] == INDIRECT:  # so many segments that stand elsewhere, at a place in bytes
                begin = _number(words[at + 2 : at + 6], 8) if eight else _number(words[at + 2 : at + 4], 16) // 2
                for _ in range(words[at + 1]):
                    begin = _segment(words, begin, entries) if len(entries) < count else begin
                at += 6 if eight else 4
            else:
                at = _segment(words, at, entries)
    except IndexError:
        entries = []
    if len(entries) < count:
        raise file.refuse("one of its segmented lookup tables is damaged")
    return entries[:count]


def _segment(words: list[int], at: int, entries: list[int]) -> int:
    """Append what one segment stands for, and return where the next one begins."""
    kind, length = words[at], words[at + 1]
    if kind == DISCRETE:
        entries += words[at + 2 : at + 2 + length]
        return at + 2 + length
    if kind != LINEAR:
        raise IndexError
    line = np.linspace(entries[-1], words[at + 2], length + 1)[1:]
    entries += np.rint(line).astype(int).tolist()
    return at + 3


def _number(parts: list[int], bits: int) -> int:
    return sum(part << bits * place for place, part in enumerate(parts))
