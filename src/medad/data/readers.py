"""One image file to one array; the only place that knows file formats."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from medad.errors import MedadError

MAX_PIXELS = 89_478_485  # Pillow warns from here on; a quarter of a GiB in RGB
FORMATS = ("PNG", "JPEG", "TIFF", "BMP")


class UnreadableImage(MedadError):
    """A file that is not an image that medad can read; `path` and `reason` say which and why."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason


@contextmanager
def pillow_is_quiet() -> Iterator[None]:
    """Keep back Pillow's warnings: what is wrong with a file is said in one line by UnreadableImage.

    The filters of warnings are one for all threads: to be entered before threads start that decode.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield


@dataclass(frozen=True)
class Decoded:
    """One decoded image and how the file stored it.

    Attributes
    ----------
    pixels : ndarray
        ``uint8`` or ``uint16`` (H, W), or ``uint8`` (H, W, 3).
    mode : str
        The mode that the file stores, in Pillow's words: ``"L"``, ``"RGB"``, ``"I;16"``, ``"F"``...
    rescaled : bool
        Whether the values were scaled by their own range to ``uint16``.
    """

    pixels: np.ndarray
    mode: str
    rescaled: bool = False


def read_image(path: Path) -> np.ndarray:
    """Read one image at its own size; see `decode`.

    Returns
    -------
    ndarray
        ``uint8`` or ``uint16`` (H, W), or ``uint8`` (H, W, 3).
    """
    return decode(path).pixels


def decode(path: Path) -> Decoded:
    """Decode one image file.

    8-bit images keep their values (palette, CMYK and transparency become grey or RGB), 16-bit grey
    too; floating-point images are scaled by their own range to ``uint16``, and so are 32-bit
    integers outside 0..65535. Pillow reduces 16-bit RGB to 8 bits.

    Parameters
    ----------
    path : Path
        The file; its suffix chooses the reader.

    Raises
    ------
    UnreadableImage
        And nothing else, whatever the file holds.
    """
    try:
        size = path.stat().st_size
        if path.suffix.lower() not in READERS:
            found = f"suffix {path.suffix}" if path.suffix else "a name without suffix"
            raise UnreadableImage(path, f"{found} is not supported, only {' '.join(READERS)}")
        if size == 0:
            raise UnreadableImage(path, "the file is empty")
        return READERS[path.suffix.lower()](path)
    except UnreadableImage:
        raise
    except Exception as error:  # decoders raise anything on damaged files, from SyntaxError to struct.error
        raise UnreadableImage(path, _reason(error)) from error


def _reason(error: Exception) -> str:
    if isinstance(error, Image.DecompressionBombError):
        return f"its header claims more than {MAX_PIXELS} pixels"
    if isinstance(error, UnidentifiedImageError):
        return "not an image, or its header is damaged"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"cannot be decoded ({' '.join(str(error).split()) or type(error).__name__})"


def _read_pillow(path: Path) -> Decoded:
    with Image.open(path, formats=FORMATS) as image:
        if image.width * image.height > MAX_PIXELS:
            raise UnreadableImage(path, f"its header claims more than {MAX_PIXELS} pixels")
        frames = getattr(image, "n_frames", 1)
        if frames > 1:
            raise UnreadableImage(path, f"has {frames} frames: export one file per frame")
        if image.mode in ("I", "F"):
            return _from_wide(np.asarray(image), path, image.mode)
        if image.mode.startswith("I;16"):
            return Decoded(np.asarray(image).astype(np.uint16), image.mode)
        grey = image.mode in ("1", "L", "LA")
        return Decoded(np.asarray(image.convert("L" if grey else "RGB")), image.mode)


def _from_wide(values: np.ndarray, path: Path, mode: str) -> Decoded:
    """Bring 32-bit values to ``uint16``: by their own range unless they are integers that fit."""
    if not np.isfinite(values).all():
        raise UnreadableImage(path, "holds NaN or infinite values: replace them and save it again")
    low, high = float(values.min()), float(values.max())
    if mode == "I" and low >= 0 and high <= 65535:
        return Decoded(values.astype(np.uint16), mode)
    unit = (values.astype(np.float64) - low) / (high - low or 1.0)
    return Decoded(np.rint(unit * 65535).astype(np.uint16), mode, rescaled=True)


# DICOM and NIfTI plug in here: a suffix and a function from a path to Decoded.
READERS: dict[str, Callable[[Path], Decoded]] = dict.fromkeys(
    (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"), _read_pillow
)
