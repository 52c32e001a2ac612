"""TIFF files of kinds that Pillow does not know, such as floating-point numbers of 16 or 64 bits, by tifffile.

Without a package of 26 MB tifffile decompresses little but deflate: other compressed files are refused.
"""

import logging
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from medad.data.readers.contract import Decoded, Header, UnreadableImage, finite, the_frame
from medad.data.readers.orientation import checked, turn
from medad.data.readers.transparency import on_black

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage

MAGIC = (b"II*\0", b"MM\0*", b"II\0*", b"MM*\0", b"II+\0", b"MM\0+")  # also BigTIFF, and slips that Pillow forgives
NO_IMAGE = 1 | 4  # bits of the subfile type: another page at a lower resolution, a page's transparency
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE = 0, 1, 2, 3
COLOURS = {WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3, PALETTE: 1}
PLAIN, DEFLATE = (1,), (8, 32946)
ALPHA_ON_BLACK, ALPHA = 1, 2  # extra samples
LARGEST_PAGE = 180_000_000  # bytes; several times as many are needed while grey levels are made of them
LARGEST_TILE = 1 << 26  # bytes; tiles may reach beyond their page


def tiff_frames(path: Path) -> int:
    """Return the number of pages that are images of their own."""
    with _open(path) as file:
        return len(_pages(file))


def read_tiff(path: Path, frame: int | None, most_pixels: int, too_large: str) -> Decoded:
    """Decode a page; see `medad.data.readers.decode`.

    Parameters
    ----------
    path, frame
        The file, and which of its images.
    most_pixels : int
        More are not decoded.
    too_large : str
        The reason why.
    """
    with _open(path) as file:
        pages = _pages(file)
        page = pages[the_frame(path, frame, len(pages)) - 1]
        if page.imagewidth * page.imagelength > most_pixels:
            raise UnreadableImage(path, too_large)
        _refuse(page, lambda reason: UnreadableImage(path, reason))
        stored = page.asarray(maxworkers=1)
    if page.planarconfig == 2 and stored.ndim == 3:
        stored = np.moveaxis(stored, 0, 2)
    turned = checked(_tag(page, "Orientation", 1))
    pixels, white, remarks = _colours(page, stored.astype(stored.dtype.newbyteorder("="), copy=False))
    return Decoded(
        turn(finite(pixels, path), turned),
        "TIFF",
        f"{'RGB' if pixels.ndim == 3 else 'grey'} of {pixels.dtype}",
        Header(bits=page.bitspersample),
        white=white,
        inverted=page.photometric == WHITE_IS_ZERO,
        turned=turned,
        remarks=remarks,
    )


@contextmanager
def _open(path: Path) -> "Iterator[TiffFile]":
    import tifffile

    logging.getLogger("tifffile").addHandler(logging.NullHandler())  # what is wrong is said by UnreadableImage
    with tifffile.TiffFile(path) as file:
        yield file


def _pages(file: "TiffFile") -> "list[TiffPage]":
    pages: Any = list(file.pages)
    if not pages:
        raise ValueError("it has no pages")
    return [page for page in pages if not _tag(page, "NewSubfileType", 0) & NO_IMAGE] or pages


def _tag(page: "TiffPage", name: str, default: Any) -> Any:
    tag = page.tags.get(name)
    return default if tag is None else tag.value


def _refuse(page: "TiffPage", unreadable: Callable[[str], UnreadableImage]) -> None:
    """Refuse what has no meaning as an image, or would not be what its header claims."""
    colours = COLOURS.get(page.photometric)
    if colours is None:
        raise unreadable(f"its colours are of a kind that is not read (photometric interpretation {page.photometric})")
    if page.imagedepth != 1 or page.dtype is None or page.dtype.kind not in "iuf":
        raise unreadable("its pixels are no numbers that are read: save it as grey or RGB")
    if page.nbytes > LARGEST_PAGE:
        raise unreadable(f"its header claims more than {LARGEST_PAGE} bytes of pixels")
    told = colours + len(page.extrasamples)
    if page.samplesperpixel != told and not (page.photometric == RGB and page.samplesperpixel == 4):
        is_grey = "grey" if colours == 1 else "RGB"
        raise unreadable(
            f"{page.samplesperpixel} channels are said to be {is_grey}, and nothing tells what the others hold: "
            "save it as grey or RGB"
        )
    if page.compression not in PLAIN + DEFLATE:
        name = getattr(page.compression, "name", page.compression)
        raise unreadable(f"{page.dtype} values compressed by {name} are not read: save it uncompressed or with deflate")
    if page.compression in DEFLATE:
        _refuse_bombs(page, unreadable)


def _refuse_bombs(page: "TiffPage", unreadable: Callable[[str], UnreadableImage]) -> None:
    file, most = page.parent.filehandle, max(page.nbytes, LARGEST_TILE)
    for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
        file.seek(offset)
        if len(zlib.decompressobj().decompress(file.read(min(count, file.size)), most + 1)) > most:
            raise unreadable("its data are larger than its header claims")


def _colours(page: "TiffPage", stored: np.ndarray) -> tuple[np.ndarray, float | None, tuple[str, ...]]:
    """Return grey or RGB, the value of white, and remarks."""
    white = float(np.iinfo(stored.dtype).max) if stored.dtype in (np.uint8, np.uint16) else None
    if white is not None and page.bitspersample < 8 * stored.itemsize:
        white = float(2**page.bitspersample - 1)
    if page.photometric == PALETTE:
        table = np.moveaxis(np.asarray(page.colormap), 0, 1)
        return table[stored], 65535.0 if table.max() > 255 else 255.0, ()
    if stored.ndim == 2:
        return stored, white, ()
    colours = COLOURS[page.photometric]
    extra = page.extrasamples[0] if page.extrasamples else ALPHA
    pixels = stored[..., :colours] if colours == 3 else stored[..., 0]
    if stored.shape[2] == colours or extra not in (ALPHA_ON_BLACK, ALPHA):
        left_out = stored.shape[2] - colours
        return pixels, white, (f"channels beside grey or colour were left out ({left_out})",) if left_out else ()
    opaque = white or (np.iinfo(stored.dtype).max if stored.dtype.kind in "iu" else 1.0)
    laid, remarks = on_black(stored[..., : colours + 1], opaque)
    return (pixels if extra == ALPHA_ON_BLACK else laid), white, remarks
