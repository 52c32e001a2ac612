"""What hospitals export and the web shows, by Pillow; the pages of a TIFF file are its frames."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import PIL
from PIL import Image, UnidentifiedImageError

from medad.data.readers.contract import Decoded, Header, UnreadableImage, the_frame
from medad.data.readers.declared import CODESTREAM, kept_to, png_bits
from medad.data.readers.deep_colour import decode_deep, is_deep
from medad.data.readers.modes import Values, values_of
from medad.data.readers.orientation import checked, turn
from medad.data.readers.tiff import MAGIC as TIFF
from medad.data.readers.tiff import NO_IMAGE, read_tiff, tiff_frames

MAX_PIXELS = 1 << 26  # 67 million: with them, reading and converting stay below 1 GiB
MAX_DEEP = MAX_PIXELS // 2  # they are decoded twice
TOO_LARGE = f"its header claims more than {MAX_PIXELS} pixels"
BEGINNINGS = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",  # JPEG
    *TIFF,
    CODESTREAM,
    b"\0\0\0\x0cjP  \r\n\x87\n",  # JPEG 2000 in a file with boxes
    b"GIF87a",
    b"GIF89a",
)
BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)  # bytes; text may begin with BM, too
NETPBM = re.compile(rb"P[456]\s+(#[^\n]*\n\s*)*\d+\s")  # those that are not text
ORIENTATION, BITS, PLANES, SUBFILE_TYPE = 274, 258, 284, 254  # TIFF tags, the first one of EXIF, too
FIRST_ONLY = "the first of several pictures of the file was read (MPO)"


@contextmanager
def pillow_is_quiet() -> Iterator[None]:
    """Keep back Pillow's and pydicom's warnings: what is wrong with a file is said in one line by UnreadableImage.

    The filters of warnings are one for all threads: to be entered before threads start that decode.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"(PIL|pydicom)\.")
        yield


class PillowReader:
    """Reads pictures; nothing in them names a patient."""

    name = "pillow"
    version = f"2 with Pillow {PIL.__version__}"
    formats: tuple[str, ...] = ("PNG", "JPEG", "TIFF", "BMP", "JPEG 2000", "WebP", "GIF", "PGM")
    stills: tuple[str, ...] = (
        *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".bmp"),
        *(".jp2", ".j2k", ".j2c", ".jpf", ".pgm", ".ppm", ".pbm", ".pnm"),
    )
    suffixes: tuple[str, ...] = (*stills, ".tif", ".tiff", ".webp", ".gif")

    def knows(self, head: bytes) -> bool:
        """Return whether the file begins as one of its formats; see `Reader`."""
        return (
            head.startswith(BEGINNINGS)
            or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")
            or (head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in BMP_HEADERS)
            or NETPBM.match(head) is not None
        )

    def frames(self, path: Path) -> int:
        """Return the number of pages of a TIFF file, of images in others."""
        try:
            with _open(path) as image:
                return len(_pages(image))
        except UnidentifiedImageError:
            return tiff_frames(path) if _is_tiff(path) else 1

    def header(self, path: Path, frame: int | None) -> Header:
        """Return an empty header: these formats tell dots per inch of paper, not millimetres of a patient."""
        return Header()

    def read(self, path: Path, frame: int | None) -> Decoded:
        """Decode one image; see `medad.data.readers.decode`."""
        try:
            with _page(path, frame) as image:
                return _decoded(image, path, frame)
        except Image.DecompressionBombError as error:
            raise UnreadableImage(path, TOO_LARGE) from error
        except (UnidentifiedImageError, SyntaxError) as error:  # Pillow knows some kinds of TIFF only
            if _is_tiff(path):
                return read_tiff(path, frame, MAX_PIXELS, TOO_LARGE)
            if isinstance(error, UnidentifiedImageError):
                raise UnreadableImage(path, "not an image, or its header is damaged") from error
            raise


@contextmanager
def _open(path: Path) -> Iterator[Image.Image]:
    """Open a file by a stream: given its name, Pillow maps it into memory, and jumbles TIFFs that are to be turned."""
    formats = ("PNG", "JPEG", "TIFF", "BMP", "JPEG2000", "WEBP", "GIF", "PPM")
    with open(path, "rb") as stream, Image.open(stream, formats=formats) as image:
        yield image


@contextmanager
def _page(path: Path, frame: int | None) -> Iterator[Image.Image]:
    with _open(path) as image:
        pages = _pages(image)
        page = pages[the_frame(path, frame, len(pages)) - 1]
        if page != image.tell():
            image.seek(page)
        if image.width * image.height > MAX_PIXELS:
            raise UnreadableImage(path, TOO_LARGE)
        yield image


def _decoded(image: Image.Image, path: Path, frame: int | None) -> Decoded:
    remarks = (FIRST_ONLY,) if image.format == "MPO" and getattr(image, "n_frames", 1) > 1 else ()
    is_tiff, mode = image.format == "TIFF", image.mode
    turned = _orientation(image) if is_tiff else 1  # Pillow forgets it when it has turned the pixels
    if is_tiff and _has_deep_planes(image):
        return read_tiff(path, frame, MAX_PIXELS, TOO_LARGE)
    if is_deep(image):
        if image.width * image.height > MAX_DEEP:
            raise UnreadableImage(path, f"its header claims more than {MAX_DEEP} pixels of 16-bit colour")
        pixels, laid = decode_deep(image, lambda: _page(path, frame))
        bits = kept_to(pixels, None if is_tiff else png_bits(path))
        values = Values(pixels, 2.0 ** (bits or 16) - 1, bits, remarks=laid)
        mode = "RGB;16" if pixels.ndim == 3 else "LA;16"
    else:
        values = values_of(image, path)
    if not is_tiff:
        turned = _orientation(image)
        values = values._replace(pixels=turn(values.pixels, turned))
    return Decoded(
        values.pixels,
        str(image.format),
        mode,
        Header(bits=values.bits),
        white=values.white,
        inverted=values.inverted,
        turned=turned,
        remarks=remarks + values.remarks,
    )


def _orientation(image: Image.Image) -> int:
    """Return how the image is to be turned; damaged EXIF tells nothing, to viewers neither."""
    try:
        return checked(image.getexif().get(ORIENTATION, 1))
    except Exception:  # Pillow raises anything on it, from SyntaxError to struct.error
        return 1


def _has_deep_planes(image: Image.Image) -> bool:
    """Return whether the channels of a TIFF page, of more than 8 bits, lie one after the other."""
    tags = image.tag_v2  # type: ignore[attr-defined]
    return tags.get(PLANES) == 2 and image.mode.startswith("RGB") and max(tags.get(BITS, (8,))) > 8


def _is_tiff(path: Path) -> bool:
    with open(path, "rb") as stream:
        return stream.read(4).startswith(TIFF)


def _pages(image: Image.Image) -> list[int]:
    """Return which pages are images of their own, from 0; of a single page nothing is asked."""
    if image.format == "MPO":
        return [0]
    pages = range(getattr(image, "n_frames", 1))
    if len(pages) == 1 or image.format != "TIFF":
        return list(pages)
    return [page for page in pages if not _subfile_type(image, page) & NO_IMAGE] or list(pages)


def _subfile_type(image: Image.Image, page: int) -> int:
    image.seek(page)
    return image.tag_v2.get(SUBFILE_TYPE, 0)  # type: ignore[attr-defined]
