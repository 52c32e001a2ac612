"""PNG, JPEG, TIFF and BMP by Pillow; the pages of a TIFF file are its frames."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import PIL
from PIL import Image, UnidentifiedImageError

from medad.data.readers.contract import Decoded, Header, UnreadableImage, the_frame

MAX_PIXELS = 89_478_485  # Pillow warns from here on; a quarter of a GiB in RGB
TOO_LARGE = f"its header claims more than {MAX_PIXELS} pixels"
PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
TIFF = (b"II*\0", b"MM\0*", b"II\0*", b"MM*\0", b"II+\0", b"MM\0+")  # also BigTIFF, and slips that Pillow forgives
BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)  # bytes; text may begin with BM, too
SUBFILE_TYPE = 254  # TIFF tag
NO_IMAGE = 1 | 4  # its bits for another page at a lower resolution, and for a page's transparency


@contextmanager
def pillow_is_quiet() -> Iterator[None]:
    """Keep back Pillow's and pydicom's warnings: what is wrong with a file is said in one line by UnreadableImage.

    The filters of warnings are one for all threads: to be entered before threads start that decode.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"(PIL|pydicom)\.")
        yield


class PillowReader:
    """Reads what hospitals export and the web shows; nothing in it names a patient."""

    name = "pillow"
    version = f"1 with Pillow {PIL.__version__}"
    formats: tuple[str, ...] = ("PNG", "JPEG", "TIFF", "BMP")
    stills: tuple[str, ...] = (".png", ".jpg", ".jpeg", ".bmp")
    suffixes: tuple[str, ...] = (*stills, ".tif", ".tiff")

    def knows(self, head: bytes) -> bool:
        """Return whether the file begins as one of its formats; see `Reader`."""
        return head.startswith((PNG, JPEG, *TIFF)) or (
            head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in BMP_HEADERS
        )

    def frames(self, path: Path) -> int:
        """Return the number of pages of a TIFF file, of images in others."""
        with self._open(path) as image:
            return len(_pages(image))

    def header(self, path: Path, frame: int | None) -> Header:
        """Return an empty header: these formats tell dots per inch of paper, not millimetres of a patient."""
        return Header()

    def read(self, path: Path, frame: int | None) -> Decoded:
        """Decode one image; see `medad.data.readers.decode`."""
        with self._open(path) as image:
            pages = _pages(image)
            page = pages[the_frame(path, frame, len(pages)) - 1]
            if page != image.tell():
                image.seek(page)
            if image.width * image.height > MAX_PIXELS:
                raise UnreadableImage(path, TOO_LARGE)
            if image.mode in ("I", "F"):
                return Decoded(_finite(np.asarray(image), path), str(image.format), image.mode)
            if image.mode.startswith("I;16"):
                return Decoded(np.asarray(image).astype(np.uint16), str(image.format), image.mode, white=65535)
            grey = image.mode in ("1", "L", "LA")
            return Decoded(np.asarray(image.convert("L" if grey else "RGB")), str(image.format), image.mode, white=255)

    @contextmanager
    def _open(self, path: Path) -> Iterator[Image.Image]:
        try:
            with Image.open(path, formats=self.formats) as image:
                yield image
        except Image.DecompressionBombError as error:
            raise UnreadableImage(path, TOO_LARGE) from error
        except UnidentifiedImageError as error:
            raise UnreadableImage(path, "not an image, or its header is damaged") from error


def _pages(image: Image.Image) -> list[int]:
    """Return which pages are images of their own, from 0; of a single page nothing is asked."""
    pages = range(getattr(image, "n_frames", 1))
    if len(pages) == 1 or image.format != "TIFF":
        return list(pages)
    return [page for page in pages if not _subfile_type(image, page) & NO_IMAGE] or list(pages)


def _subfile_type(image: Image.Image, page: int) -> int:
    image.seek(page)
    return image.tag_v2.get(SUBFILE_TYPE, 0)  # type: ignore[attr-defined]


def _finite(values: np.ndarray, path: Path) -> np.ndarray:
    if not np.isfinite(values).all():
        raise UnreadableImage(path, "holds NaN or infinite values: replace them and save it again")
    return values
