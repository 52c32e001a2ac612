"""Random images in Pillow's modes, for tests that read files."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

SaveImage = Callable[..., Path]  # the fixture "save": save(name, mode="L", size=(9, 9), seed=0)


def random_image(mode: str, size: tuple[int, int], seed: int = 0) -> Image.Image:
    rng = np.random.default_rng(seed)
    shape = size[::-1]
    if mode == "I;16":
        return Image.fromarray(rng.integers(0, 65536, shape, dtype=np.uint16))
    if mode == "I":
        return Image.fromarray(rng.integers(-(10**6), 10**6, shape, dtype=np.int32))
    if mode == "F":
        return Image.fromarray(rng.normal(size=shape).astype(np.float32))
    colours = Image.fromarray(rng.integers(0, 256, (*shape, 4), dtype=np.uint8))
    return colours.convert("RGB").quantize(64) if mode == "P" else colours.convert(mode)


def write_tiff(path: Path, rows: np.ndarray, photometric: int, tags: dict[int, object] | None = None) -> Path:
    """Write (H, W) or (H, W, C) in its own type and byte order as an uncompressed TIFF of one strip.

    `tags` are added or replace others: lists are arrays of 16-bit numbers, None leaves the tag out.
    """
    channels = rows.shape[2] if rows.ndim == 3 else 1
    order = ">" if rows.dtype.byteorder == ">" else "<"
    kind = {"u": 1, "i": 2, "f": 3}[rows.dtype.kind]
    known: dict[int, object] = {256: rows.shape[1], 257: rows.shape[0], 258: [8 * rows.itemsize] * channels, 259: 1}
    known |= {262: photometric, 277: channels, 278: rows.shape[0], 279: rows.nbytes, 339: [kind] * channels, 273: 0}
    known = {tag: value for tag, value in (known | (tags or {})).items() if value is not None}
    at, extra, entries = 8 + 2 + 12 * len(known) + 4, b"", []
    lists = {tag: value for tag, value in known.items() if isinstance(value, list)}
    data_at = at + sum(2 * len(value) for value in lists.values() if len(value) > 2)
    for tag, value in sorted(known.items()):
        if not isinstance(value, list):
            entries.append(struct.pack(order + "HHII", tag, 4, 1, data_at if tag == 273 else value))
            continue
        packed = struct.pack(f"{order}{len(value)}H", *value)
        if len(value) > 2:
            entries.append(struct.pack(order + "HHII", tag, 3, len(value), at + len(extra)))
            extra += packed
        else:
            entries.append(struct.pack(order + "HHI", tag, 3, len(value)) + packed.ljust(4, b"\0"))
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(known))
    path.write_bytes(head + b"".join(entries) + b"\0\0\0\0" + extra + rows.tobytes())
    return path


def write_png(path: Path, rows: np.ndarray, chunks: dict[bytes, bytes] | None = None) -> Path:
    """Write (H, W) or (H, W, C) of 8 or 16 bits, C = 2, 3 or 4, by all filters in turn; `chunks` before the data."""
    height, width = rows.shape[:2]
    channels = rows.shape[2] if rows.ndim == 3 else 1
    step = channels * rows.itemsize
    lines = rows.astype(rows.dtype.newbyteorder(">")).reshape(height, -1).view(np.uint8).astype(int)
    lines = lines.reshape(height, -1)
    filtered, above = b"", np.zeros(lines.shape[1], int)
    for number, line in enumerate(lines):
        left, corner = (np.r_[np.zeros(step, int), values[:-step]] for values in (line, above))
        nearest = np.argmin(np.abs(np.stack([above - corner, left - corner, left + above - 2 * corner])), axis=0)
        paeth = np.choose(nearest, [left, above, corner])
        guess = [np.zeros_like(line), left, above, (left + above) // 2, paeth][number % 5]
        filtered += bytes([number % 5]) + ((line - guess) % 256).astype(np.uint8).tobytes()
        above = line
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    parts = {b"IHDR": struct.pack(">IIBBBBB", width, height, 8 * rows.itemsize, kind, 0, 0, 0), **(chunks or {})}
    parts |= {b"IDAT": zlib.compress(filtered), b"IEND": b""}
    chunk = lambda name, data: struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))  # noqa: E731
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts.items()))
    return path
