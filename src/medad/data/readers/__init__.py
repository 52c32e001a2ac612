"""Image files to pixels and headers; the only place that knows file formats."""

from medad.data.readers.contract import Decoded, Header, Reader, UnreadableImage
from medad.data.readers.files import count_frames, decode, find_reader, is_image, is_still, read_header
from medad.data.readers.pillow import pillow_is_quiet

__all__ = [
    "Decoded",
    "Header",
    "Reader",
    "UnreadableImage",
    "count_frames",
    "decode",
    "find_reader",
    "is_image",
    "is_still",
    "pillow_is_quiet",
    "read_header",
]
