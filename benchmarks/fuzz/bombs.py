"""Small files that unpack to gigabytes, written without unpacking them: a compressed block of zeros, over and over."""

import struct
import zlib
from functools import cache

BLOCK = 16 << 20  # bytes of zeros
BLOCKS = 256  # 4 GiB


@cache
def _zeros(form: int, flush: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, form)
    return packer.compress(bytes(BLOCK)) + packer.flush(flush)


def gzip_bomb(head: bytes, blocks: int = BLOCKS) -> bytes:
    """Return a gzip file of `head` and then zeros."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return packer.compress(head) + packer.flush() + _zeros(31, zlib.Z_FINISH) * blocks


def zip_bomb(name: str, head: bytes, blocks: int = 255) -> bytes:
    """Return a zip file whose only member is `head` and then zeros; its checksum is not right."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
    packed += _zeros(-15, zlib.Z_FULL_FLUSH) * blocks + b"\x03\0"
    size, encoded = len(head) + blocks * BLOCK, name.encode()
    common = struct.pack("<5H3I2H", 20, 0, 8, 0, 33, 0, len(packed), size, len(encoded), 0)
    local = b"PK\x03\x04" + common + encoded + packed
    entry = b"PK\x01\x02\x14\0" + common + struct.pack("<3H2I", 0, 0, 0, 0, 0) + encoded
    return local + entry + b"PK\x05\x06" + struct.pack("<4H2IH", 0, 0, 1, 1, len(entry), len(local), 0)


def png_bomb(width: int, height: int, colour: int, bits: int) -> bytes:
    """Return a black PNG file of that size."""
    line = 1 + (width * bits * {0: 1, 2: 3, 6: 4}[colour] + 7) // 8
    rest, packer = line * height, zlib.compressobj(1)
    packed = b"".join(packer.compress(bytes(min(BLOCK, rest - at))) for at in range(0, rest, BLOCK)) + packer.flush()
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)),
        (b"IDAT", packed),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def npy_head(shape: tuple[int, ...], dtype: str) -> bytes:
    """Return the header of an array file."""
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text.encode()


def nifti_head(shape: tuple[int, ...], code: int = 4, bits: int = 16) -> bytes:
    """Return the header of a NIfTI-1 file of whole numbers of 16 bits, or of another type."""
    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, len(shape), *shape, *([1] * (7 - len(shape))))
    struct.pack_into("<2h", head, 70, code, bits)
    struct.pack_into("<9f", head, 76, 1, 1, 1, 1, 1, 1, 1, 1, 352)
    head[344:348] = b"n+1\0"
    return bytes(head)
