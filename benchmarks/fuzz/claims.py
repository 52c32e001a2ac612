"""Files that claim to be larger or deeper than anything real, in the words of their format."""

import re
import struct
from collections.abc import Callable

import numpy as np

SIZES = (0, 1, 12_000, 32_767, 65_535, 2**31 - 1, 2**32 - 1)
PNG, JPEG_SIZES, CODESTREAM = b"\x89PNG\r\n\x1a\n", (b"\xff\xc0", b"\xff\xc1", b"\xff\xc2"), b"\xff\x51"
ROWS, COLUMNS, FRAMES = b"\x28\x00\x10\x00US\x02\x00", b"\x28\x00\x11\x00US\x02\x00", b"\x28\x00\x08\x00IS"
PIXELS = b"\xe0\x7f\x10\x00"
DEPTH = 3000  # of sequences in sequences: more than Python's stack holds
Two = tuple[int, int]


def claim(data: bytes, rng: np.random.Generator) -> bytes:
    """Claim another width and height, or number of frames."""
    width, height = (int(size) for size in rng.choice(SIZES, 2))
    for begins, change in FORMATS.items():
        if data.startswith(begins):
            return change(data, (width, height))
    return _dicom(data, (width, height)) if data[128:132] == b"DICM" else _nifti(data, (width, height))


def nest(data: bytes, rng: np.random.Generator) -> bytes:
    """Put sequences into sequences before the pixels of a DICOM file; repeat the middle of others."""
    at = data.find(PIXELS)
    if data[128:132] != b"DICM" or at < 0:
        half = len(data) // 2
        return data[:half] + data[half : half + 512] * int(rng.integers(2, 64)) + data[half:]
    depth = int(rng.integers(1, DEPTH))
    opened = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    closed = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0" if rng.integers(2) else b""
    return data[:at] + opened * depth + closed * depth + data[at:]


def _at(data: bytes, place: int, layout: str, *numbers: int) -> bytes:
    """Write numbers at a place, each cut to its width."""
    widths = [struct.calcsize(layout[0] + letter) for letter in layout[1:]]
    fitting = [number & (1 << 8 * width) - 1 for number, width in zip(numbers, widths, strict=True)]
    written = struct.pack(layout, *fitting)
    return data[:place] + written + data[place + len(written) :] if place >= 0 else data


def _png(data: bytes, size: Two) -> bytes:
    return _at(data, 16, ">II", *size)


def _jpeg(data: bytes, size: Two) -> bytes:
    for mark in JPEG_SIZES:
        if (at := data.find(mark)) >= 0:
            return _at(data, at + 5, ">HH", *size)
    return data


def _tiff(data: bytes, size: Two) -> bytes:
    """Change width and height of the first page, of files in little-endian order."""
    at = struct.unpack("<I", data[4:8])[0]
    for place in range(at + 2, min(at + 26, len(data) - 12), 12):
        tag = struct.unpack("<H", data[place : place + 2])[0]
        if tag in (256, 257):
            data = _at(data, place + 2, "<HII", 4, 1, size[tag - 256])
    return data


def _bmp(data: bytes, size: Two) -> bytes:
    return _at(data, 18, "<II", *size)


def _jpeg_2000(data: bytes, size: Two) -> bytes:
    box, codes = data.find(b"ihdr"), data.find(CODESTREAM)
    data = _at(data, box + 4, ">II", *size[::-1]) if box >= 0 else data
    return _at(data, codes + 6, ">II", *size) if codes >= 0 else data


def _npy(data: bytes, size: Two) -> bytes:
    """Change the shape of an array; the spaces behind it make room."""
    end = 10 + int.from_bytes(data[8:10], "little")
    header = re.sub(rb"\([0-9, ]*\)", f"({size[0]}, {size[1]}, 2)".encode(), data[10:end], count=1)
    return data[:10] + header.rstrip()[: end - 11].ljust(end - 11) + b"\n" + data[end:]


def _nifti(data: bytes, size: Two) -> bytes:
    return _at(data, 40, "<HHHHH", 3, *size, 2, 1)


def _dicom(data: bytes, size: Two) -> bytes:
    rows, columns, frames = (data.find(mark) for mark in (ROWS, COLUMNS, FRAMES))
    data = _at(data, rows + 8, "<H", size[0]) if rows >= 0 else data
    data = _at(data, columns + 8, "<H", size[1]) if columns >= 0 else data
    if frames < 0:
        return data
    length = int.from_bytes(data[frames + 6 : frames + 8], "little")
    return data[: frames + 6] + b"\x0a\x00" + b"%10d" % max(size) + data[frames + 8 + length :]


FORMATS: dict[bytes, Callable[[bytes, Two], bytes]] = {
    PNG: _png,
    b"\xff\xd8\xff": _jpeg,
    b"II*\0": _tiff,
    b"BM": _bmp,
    b"\0\0\0\x0cjP": _jpeg_2000,
    b"\x93NUMPY": _npy,
}
