"""Reading as many bytes as a header claims, from files that may unpack to more."""

from typing import IO

AT_ONCE = 2**20  # bytes; gzip and zipfile unpack what they are asked for into a copy


def read_up_to(stream: IO[bytes], size: int) -> bytearray:
    """Read `size` bytes, or fewer if there are no more, and look whether what is packed ends there in good order."""
    buffer, filled = bytearray(size), 0
    while filled < size and (part := stream.read(min(AT_ONCE, size - filled))):
        buffer[filled : filled + len(part)] = part
        filled += len(part)
    stream.read(1)  # at the end, gzip and zipfile check the sum of what they unpacked
    return buffer[:filled] if filled < size else buffer
