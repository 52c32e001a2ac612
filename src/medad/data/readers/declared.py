"""How many bits of a pixel hold its value, where a file says so and Pillow does not pass it on."""

from pathlib import Path

import numpy as np

CODESTREAM = b"\xff\x4f\xff\x51"  # of JPEG 2000: SOC and SIZ
SSIZ = 42  # bytes from there to the depth of the first component
LARGEST_HEADER = 1 << 20  # bytes, colour profiles among them


def png_bits(path: Path) -> int | None:
    """Return the significant bits of the first channel (chunk sBIT of PNG); None without the chunk."""
    with open(path, "rb") as stream:
        stream.seek(8)
        while len(head := stream.read(8)) == 8 and head[4:] not in (b"IDAT", b"IEND"):
            if head[4:] == b"sBIT":
                return stream.read(1)[0]
            stream.seek(int.from_bytes(head[:4], "big") + 4, 1)
    return None


def jpeg_2000_bits(path: Path) -> tuple[int, bool]:
    """Return the bits of the first channel, and whether its values are signed.

    Raises
    ------
    ValueError
        If the file does not say.
    """
    with open(path, "rb") as stream:
        head = stream.read(LARGEST_HEADER)
    at = head.find(CODESTREAM)
    if at < 0 or at + SSIZ >= len(head):
        raise ValueError("its codestream has no header")
    return (head[at + SSIZ] & 0x7F) + 1, head[at + SSIZ] > 0x7F


def kept_to(pixels: np.ndarray, told: int | None) -> int | None:
    """Return the bits that a file of 16 declares; None if its values do not fit, as they were scaled to 16 then."""
    return told if told and 8 < told < 16 and not (pixels >> told).any() else None
