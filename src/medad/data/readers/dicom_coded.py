"""What compressed pixels say of themselves, looked at before a decoder sees them.

Decoders trust it: of a damaged header python-gdcm ends the whole process, and any size may be claimed.
"""

import struct
from dataclasses import dataclass

from medad.data.readers.dicom_file import DicomFile, said

J2K = b"\xff\x4f\xff\x51"  # start of codestream and size
BOX, BOXES = b"\0\0\0\x0cjP  ", 1 << 16  # how boxes begin, and how many bytes are searched for their end
SOI, SOS, ADOBE = b"\xff\xd8", 0xDA, 0xEE
NO_FRAME = (0xC4, 0xC8, 0xCC)  # in the row of JPEG's frame headers
LS = 0xF7
KINDS = {"JPEG Lossless": 0xC3, "JPEG-LS": LS}  # of frame headers, by the beginning of the syntax' name
WITHOUT_LENGTH = (0x01, *range(0xD0, 0xD9))


@dataclass(frozen=True)
class Coded:
    """A frame header: marker (0 for JPEG 2000), size and depth."""

    kind: int
    width: int
    height: int
    bits: int
    samples: int


def check_coded(file: DicomFile, coded: bytes) -> None:
    """Refuse compressed pixels that do not agree with what the DICOM header says of them.

    Raises
    ------
    UnreadableImage
        If they are damaged, or of another size, depth or kind.
    """
    if not file.syntax.name.startswith(("JPEG", "High-Throughput")):
        return
    try:
        found = _size_of_2000(coded) if "2000" in file.syntax.name else _frame_header(coded)
    except (IndexError, ValueError, struct.error):
        raise file.refuse(f"is compressed as {file.syntax.name}, and the header of its pixels is damaged") from None
    claimed = (said(file.data, "Columns"), said(file.data, "Rows"))
    if (found.width, found.height) != claimed:
        sizes = f"are {found.width} x {found.height} where its header says {claimed[0]} x {claimed[1]}"
        raise file.refuse(f"its compressed pixels {sizes}: it is damaged")
    kind = next((kind for name, kind in KINDS.items() if file.syntax.name.startswith(name)), found.kind)
    depth = 2 <= found.bits <= (said(file.data, "BitsAllocated") or 0)
    if found.kind != kind or found.samples != said(file.data, "SamplesPerPixel") or not depth:
        what = f"{found.samples} samples of {found.bits} bits"
        raise file.refuse(f"its compressed pixels have {what}, unlike what its header says: it is damaged")


def without_boxes(coded: bytes) -> bytes:
    """Return JPEG 2000 pixels without the boxes that some writers put before them, others as they are.

    DICOM allows no boxes, and on damaged ones OpenJPEG may not come back.
    """
    at = coded.find(J2K, 0, BOXES) if coded.startswith(BOX) else 0
    return coded[max(at, 0) :]


def _size_of_2000(coded: bytes) -> Coded:
    at = coded.index(J2K)  # some writers put boxes of text before it
    right, bottom, left, top = struct.unpack_from(">4I", coded, at + 8)
    (samples,) = struct.unpack_from(">H", coded, at + 40)
    return Coded(0, right - left, bottom - top, (coded[at + 42] & 0x7F) + 1, samples)


def _frame_header(coded: bytes) -> Coded:
    """Find the frame header of JPEG and JPEG-LS.

    Raises
    ------
    IndexError, struct.error
        If there is none, or what stands before the pixels is no row of segments.
    """
    found, at = None, len(SOI) if coded.startswith(SOI) else len(coded)
    while (marker := _marker(coded, at)) != SOS:
        (length,) = struct.unpack_from(">H", coded, at + 2)
        if marker == ADOBE and length >= 14 and coded[at + 15] > 2:  # no such transformation of colours
            raise IndexError
        if 0xC0 <= marker <= 0xCF and marker not in NO_FRAME or marker == LS:
            bits, height, width, samples = struct.unpack_from(">BHHB", coded, at + 4)
            found = Coded(marker, width, height, bits, samples)
        at += 2 + length
    if found is None:
        raise IndexError
    return found


def _marker(coded: bytes, at: int) -> int:
    if coded[at] != 0xFF or coded[at + 1] in (0, 0xFF, *WITHOUT_LENGTH):
        raise IndexError
    return coded[at + 1]
