"""What stored values of a DICOM file mean: padding, palettes, modality and VOI lookup tables (PS3.3 C.7.6.3, C.11)."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from medad.data.readers.dicom_file import DicomFile, macro, numbers, said, text
from medad.data.readers.dicom_tables import coloured, grey_table

Display = Callable[[np.ndarray], np.ndarray]

DEEP = 16  # bits: of more, the highest number that fits is no white
NO_RESCALE = (("Slope", 1.0), ("Intercept", 0.0))
NO_NUMBERS = "pixels that are no number (NaN or infinite) became black"
NO_WINDOW = "the window of the file is no valid one and was left out"
FIRST_WINDOW = "of several windows in the file the first one counts"


def meant(file: DicomFile, frame: int, stored: np.ndarray, photometric: str) -> dict[str, Any]:
    """Return pixels, white, display, padding and remarks of a frame; see :class:`medad.data.readers.Decoded`.

    Parameters
    ----------
    file : DicomFile
        The file.
    frame : int
        From 1.
    stored : ndarray
        Its values as they are stored.
    photometric : str
        Their photometric interpretation.
    """
    if photometric == "PALETTE COLOR":
        colours, brightest = coloured(file, stored)
        return {"pixels": colours, "white": brightest, "remarks": []}
    if stored.ndim == 3:
        return {"pixels": stored, "white": _white(file, stored), "remarks": []}
    padding, remarks = _padding(file, stored), []
    if stored.dtype.kind == "f" and not (finite := np.isfinite(stored)).all():
        padding, remarks = (~finite if padding is None else padding | ~finite), [NO_NUMBERS]
        stored = np.where(finite, stored, 0)
    pixels = _modality(file, frame, stored)
    display, problem = _display(file, frame, pixels)
    white = _white(file, stored) if pixels is stored else None
    return {"pixels": pixels, "white": white, "display": display, "padding": padding, "remarks": remarks + problem}


def is_inverted(data: Any) -> bool:
    """Return whether the lowest value is the brightest.

    PresentationLUTShape INVERSE goes with MONOCHROME1 and then says the same once more; with MONOCHROME2, which the
    standard forbids, it is what turns the image round.
    """
    photometric = text(data, "PhotometricInterpretation")
    inverse = text(data, "PresentationLUTShape") == "INVERSE"
    return photometric == "MONOCHROME1" or (photometric == "MONOCHROME2" and inverse)


def _white(file: DicomFile, stored: np.ndarray) -> float | None:
    bits = said(file.data, "BitsStored")
    return float(2**bits - 1) if stored.dtype.kind == "u" and isinstance(bits, int) and bits <= DEEP else None


def _padding(file: DicomFile, stored: np.ndarray) -> np.ndarray | None:
    """Return which stored values mean that there is no value: one, or a range of them."""
    kind = {"FloatPixelData": "Float", "DoubleFloatPixelData": "DoubleFloat"}.get(file.keyword, "")
    value = numbers(file.data, f"{kind}PixelPaddingValue")
    if not value:
        return None
    limit = numbers(file.data, f"{kind}PixelPaddingRangeLimit") or value
    ends = [_as_stored(number, stored.dtype) for number in (value[0], limit[0])]
    inside = (stored >= min(ends)) & (stored <= max(ends))
    return inside if inside.any() else None


def _as_stored(number: float, dtype: np.dtype) -> float:
    """Mend a value that was written without its sign."""
    if dtype.kind == "i" and number > np.iinfo(dtype).max:
        return number - 2 ** (8 * dtype.itemsize)
    return number


def _modality(file: DicomFile, frame: int, stored: np.ndarray) -> np.ndarray:
    """Return values in the units of the modality, such as Hounsfield's; `stored` itself where they are those."""
    if items := said(file.data, "ModalityLUTSequence"):
        return grey_table(file, items[0], stored.dtype.kind == "i")(stored)
    rescale = macro(file.data, frame, "PixelValueTransformationSequence")
    slope, intercept = ((numbers(rescale, f"Rescale{name}") or [none])[0] for name, none in NO_RESCALE)
    if not np.isfinite(slope * intercept) or not slope:
        raise file.refuse(f"is damaged: its rescale slope is {slope:g}, its intercept {intercept:g}")
    if (slope, intercept) == (1, 0):
        return stored
    values = stored * slope
    values += intercept
    return values


def _display(file: DicomFile, frame: int, pixels: np.ndarray) -> tuple[Display | None, list[str]]:
    """Return how a file wants its values shown, and what the user should know of it."""
    voi = macro(file.data, frame, "FrameVOILUTSequence")
    if items := said(voi, "VOILUTSequence"):
        lut = grey_table(file, items[0], pixels.dtype.kind != "u" and float(pixels.min()) < 0)
        return lambda values: lut(values) / lut.white, []
    centers, widths = numbers(voi, "WindowCenter"), numbers(voi, "WindowWidth")
    if not centers or not widths:
        return None, []
    function = text(voi, "VOILUTFunction") or "LINEAR"
    if function not in FUNCTIONS or not widths[0] > 0 or not np.isfinite([centers[0], widths[0]]).all():
        return None, [NO_WINDOW]
    remarks = [FIRST_WINDOW] if len(centers) > 1 else []
    return partial(FUNCTIONS[function], center=centers[0], width=widths[0]), remarks


def linear(values: np.ndarray, center: float, width: float) -> np.ndarray:
    """Apply a window whose width counts whole values (C.11.2.1.2.1); a narrower one than 1 is taken as exact."""
    if width < 1:
        return linear_exact(values, center, width)
    if width == 1:
        return (values > center - 0.5).astype(np.float64)
    return linear_exact(values, center - 0.5, width - 1)


def linear_exact(values: np.ndarray, center: float, width: float) -> np.ndarray:
    """Apply a window on continuous values (C.11.2.1.3.2)."""
    shown = (values - center) / width
    shown += 0.5
    return np.clip(shown, 0, 1, out=shown)


def sigmoid(values: np.ndarray, center: float, width: float) -> np.ndarray:
    """Apply a window without hard ends (C.11.2.1.3.1)."""
    return 0.5 + 0.5 * np.tanh(2 * (values - center) / width)  # that is 1 / (1 + exp(-4 ...)), without overflow


FUNCTIONS = {"LINEAR": linear, "LINEAR_EXACT": linear_exact, "SIGMOID": sigmoid}
