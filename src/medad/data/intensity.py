"""Which value becomes black and which white: one rule for all files, chosen by the user and recorded."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from medad.data.readers import Decoded
from medad.errors import OptionError

DEFAULT, PUBLISHED = "dicom", "ddad"
NUMBERS = {"dtype": 0, "file": 0, "window": 2, "percentile": 2, "dicom": 0, "ddad": 0}  # that a rule takes
HOW = "choose dtype, file, window LO HI, percentile P Q, dicom or ddad"
QUARTER = 0.25  # of the largest numbers even the differences are numbers; nothing is rounded by it
ROBUST = (0.1, 99.9)  # percentiles: a few odd pixels do not stretch the values of an image anew
EXACT_16_BIT = 257  # 255 * 257 = 65535
AT_ONCE = 1 << 18  # values that are converted at a time: they stay in the processor's cache


def default_intensity(preset: str) -> str:
    """Return the rule where the user chose none: the published one for the published recipe."""
    return PUBLISHED if preset == "paper" else DEFAULT


@dataclass(frozen=True)
class Intensity:
    """A rule that takes the values of a file to grey levels.

    - ``dtype``: black is 0, white the highest value that the declared depth can hold: 255, 4095, 65535. Values
      without a white of their own (signed, floating-point or of 32 bits) go from their 0.1 to their 99.9 percentile.
    - ``file``: from the lowest to the highest value of the file.
    - ``window LO HI``: from LO to HI, the same for every file, in physical units where the file tells them.
    - ``percentile P Q``: from the P-th to the Q-th percentile of the file.
    - ``dicom``: as a DICOM file wants to be shown (VOI LUT or window); otherwise as ``dtype``.
    - ``ddad``: DICOM files of more than 8 bits from their lowest to their highest value, in 8 bits, truncated, as the
      authors of DDAD-ASR prepared theirs; otherwise as ``dtype``.

    Attributes
    ----------
    rule : str
        One of these.
    low, high : float
        The numbers of those that take two.
    """

    rule: str
    low: float = 0.0
    high: float = 0.0

    @classmethod
    def parse(cls, text: str) -> "Intensity":
        """Read a rule as the user writes it: ``"window -1000 400"``.

        Raises
        ------
        OptionError
            For anything else.
        """
        rule, *rest = text.split() or [""]
        if rule not in NUMBERS or len(rest) != NUMBERS[rule]:
            raise OptionError("intensity", HOW, text)
        try:
            numbers = [float(number) for number in rest]
        except ValueError:
            raise OptionError("intensity", HOW, text) from None
        if numbers and not np.isfinite(numbers).all() or numbers and numbers[0] >= numbers[1]:
            raise OptionError("intensity", f"{rule} takes two numbers, the lower one first", text)
        if rule == "percentile" and not 0 <= numbers[0] < numbers[1] <= 100:
            raise OptionError("intensity", "percentiles lie between 0 and 100", text)
        return cls(rule, *numbers)

    def __call__(self, image: Decoded) -> tuple[np.ndarray, str]:
        """Apply the rule.

        Returns
        -------
        pixels : ndarray
            ``uint8`` for files of 8 bits, otherwise ``uint16``; (H, W) or (H, W, 3).
        applied : str
            What was done, in the user's words, such as ``"16 bits as they are"``.
        """
        if self.rule == "ddad" and image.format == "DICOM" and _depth(image) != np.uint8:
            return _published(image), "from the lowest to the highest value of the file, in 8 bits"
        pixels, applied = self._shown(image)
        if image.inverted:
            pixels = np.iinfo(pixels.dtype).max - pixels
        if image.padding is not None:
            pixels = np.where(image.padding if pixels.ndim == 2 else image.padding[..., None], 0, pixels)
        return pixels, applied

    def _shown(self, image: Decoded) -> tuple[np.ndarray, str]:
        if self.rule == "window":
            return _between(image, self.low, self.high), f"from {self.low:g} to {self.high:g}"
        if self.rule == "percentile":
            return _by_percentiles(image, (self.low, self.high))
        if self.rule == "file":
            return _between(image, *_percentiles(image, (0, 100))), "from the lowest to the highest value of the file"
        if self.rule == "dicom" and image.display is not None:
            return _displayed(image, image.display), "by the window of the file"
        return _by_depth(image)


def _by_depth(image: Decoded) -> tuple[np.ndarray, str]:
    if image.white is None:
        shown, applied = _by_percentiles(image, ROBUST)
        return shown, f"{applied}, as {image.pixels.dtype} has no white"
    if image.white == np.iinfo(_depth(image)).max and image.pixels.dtype == _depth(image):
        return image.pixels, f"{8 * image.pixels.itemsize} bits as they are"
    return _between(image, 0, image.white), f"from 0 to {image.white:g}"


def _by_percentiles(image: Decoded, share: tuple[float, float]) -> tuple[np.ndarray, str]:
    return _between(image, *_percentiles(image, share)), f"from the {share[0]:g} to the {share[1]:g} percentile"


def _percentiles(image: Decoded, share: tuple[float, float]) -> tuple[float, float]:
    values = image.population
    if values is None:
        values = image.pixels if image.padding is None else image.pixels[~image.padding]
    if not values.size:
        return 0.0, 0.0
    if share == (0, 100):
        return float(values.min()), float(values.max())
    low, high = (_percentile(values, one) for one in share)
    return (low, high) if low < high else (float(values.min()), float(values.max()))


def _percentile(values: np.ndarray, share: float) -> float:
    """Return what `numpy.percentile` returns of these values in float64, of which it would make two copies."""
    place = share / 100 * (values.size - 1)
    below, above = math.floor(place), math.ceil(place)
    ordered = np.partition(values, (below, above), axis=None)
    low, high = QUARTER * float(ordered[below]), QUARTER * float(ordered[above])
    return (low + (high - low) * (place - below)) / QUARTER


def _between(image: Decoded, low: float, high: float) -> np.ndarray:
    """Take `low` and what is below it to black, `high` and what is above it to white."""

    def levels(rows: slice) -> np.ndarray:
        values = image.pixels[rows].astype(np.float64)
        if image.padding is not None:
            values[image.padding[rows]] = low  # they may be no numbers
        values *= QUARTER
        values -= QUARTER * low
        values /= QUARTER * high - QUARTER * low if high > low else 1.0
        return _levels(values, _depth(image))

    return _by_rows(image, _depth(image), levels)


def _displayed(image: Decoded, display: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    return _by_rows(image, _depth(image), lambda rows: _levels(display(image.pixels[rows]), _depth(image)))


def _published(image: Decoded) -> np.ndarray:
    """Do what the authors did: padding counts like any value, and what is inverted is turned round first."""
    low, high = float(image.pixels.min()), float(image.pixels.max())

    def levels(rows: slice) -> np.ndarray:
        values = image.pixels[rows].astype(np.float64)
        values = high - values if image.inverted else values - low
        return (values / (high - low or 1.0) * 255).astype(np.uint8)

    return _by_rows(image, np.uint8, levels)


def _by_rows(image: Decoded, depth: type[np.unsignedinteger], levels: Callable[[slice], np.ndarray]) -> np.ndarray:
    """Convert a few rows at a time, whose floating-point numbers take little memory."""
    result = np.empty(image.pixels.shape, depth)
    count = max(1, AT_ONCE // (image.pixels[:1].size or 1))
    for start in range(0, len(result), count):
        rows = slice(start, start + count)
        result[rows] = levels(rows)
    return result


def _levels(unit: np.ndarray, depth: type[np.unsignedinteger]) -> np.ndarray:
    levels = np.clip(unit, 0, 1)
    levels *= np.iinfo(depth).max
    return np.rint(levels, out=levels).astype(depth)


def _depth(image: Decoded) -> type[np.unsignedinteger]:
    """Return the type that holds the grey levels of an image: nothing of 12 or 16 bits is lost."""
    eight = image.pixels.itemsize == 1 or (image.white is not None and image.white <= 255)
    return np.uint8 if eight else np.uint16


def widen(pixels: np.ndarray) -> np.ndarray:
    """Return ``uint16`` pixels; 8-bit values are multiplied by 257, so that white stays white."""
    return pixels if pixels.dtype == np.uint16 else pixels.astype(np.uint16) * np.uint16(EXACT_16_BIT)
