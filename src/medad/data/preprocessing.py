"""From an image of any size to a square one, and with a map of it back again."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from medad.data.intensity import DEFAULT, Intensity
from medad.errors import OptionError, check_choice

FITS = ("stretch", "pad", "crop")
READING = ("fit", "intensity")  # options that say how files are read
GREY = np.array([299, 587, 114]) / 1000  # ITU-R 601
Box = tuple[int, int, int, int]  # left, top, right, bottom
BILINEAR, NEAREST = Image.Resampling.BILINEAR, Image.Resampling.NEAREST


@dataclass(frozen=True)
class Preprocessing:
    """Intensity rule, then grey or RGB, then resizing to a square by Pillow's bilinear filter.

    The filter widens when it shrinks (antialiasing). The mapping to [-1, 1] happens on tensors. The defaults are those
    of DDAD-ASR at load: 8 bits as they are, the aspect ratio not kept.

    Attributes
    ----------
    size : int
        Side S of the result, in pixels.
    channels : int
        1 for grey (ITU-R 601 weights), 3 for RGB.
    fit : {'stretch', 'pad', 'crop'}
        What becomes of images that are not square: their aspect ratio is not kept; they get black margins; of their
        longer side only the middle is kept. ``pad`` and ``crop`` undo pixels that are not square.
    intensity : str
        See :class:`medad.data.intensity.Intensity`.
    """

    size: int = 64
    channels: int = 1
    fit: str = "stretch"
    intensity: str = DEFAULT

    def __post_init__(self) -> None:
        """Refuse what is not an image format.

        Raises
        ------
        UserError
            If `channels` is neither 1 nor 3, `size` is not positive, or there is no such fit or rule.
        """
        if self.channels not in (1, 3):
            raise OptionError("channels", "give 1 (grey) or 3 (RGB)", self.channels)
        if self.size < 1:
            raise OptionError("size", "give a positive number of pixels", self.size)
        check_choice("fit", self.fit, FITS)
        Intensity.parse(self.intensity)

    @property
    def rule(self) -> Intensity:
        """The intensity rule."""
        return Intensity.parse(self.intensity)

    def __call__(self, image: np.ndarray, spacing: tuple[float, float] | None = None) -> np.ndarray:
        """Convert one image.

        Parameters
        ----------
        image : ndarray
            ``uint8`` or ``uint16``, (H, W) or (H, W, 3).
        spacing : tuple of float, optional
            Distances of its rows and of its columns; equal by default.

        Returns
        -------
        ndarray
            (C, S, S), of the same type. For 8 bits, one channel and fit ``stretch`` exactly
            ``Image.convert("L").resize((S, S), Image.BILINEAR)``.
        """
        if image.ndim == 3 and self.channels == 1:
            image = _grey(image)
        planes = [image] if image.ndim == 2 else np.moveaxis(image, 2, 0)
        resized = [self._resize(np.ascontiguousarray(plane), spacing) for plane in planes]
        return np.stack(resized if len(resized) == self.channels else resized * self.channels)

    def mask(self, inside: np.ndarray, spacing: tuple[float, float] | None = None) -> np.ndarray:
        """Convert one mask by the nearest pixel: (H, W) ``bool`` to (S, S) ``bool``."""
        return self._placed(Image.fromarray(inside.astype(np.uint8)), spacing, NEAREST).astype(bool)

    def back(
        self, anomaly_map: np.ndarray, shape: tuple[int, int], spacing: tuple[float, float] | None = None
    ) -> np.ndarray:
        """Lay a map of a converted image over the image as it was.

        Parameters
        ----------
        anomaly_map : ndarray
            (S, S).
        shape : tuple of int
            H and W of the image.
        spacing : tuple of float, optional
            See `__call__`.

        Returns
        -------
        ndarray
            (H, W) ``float32``, by Pillow's bilinear filter; where the image was cropped, the lowest value of the map.
        """
        source, target = self._boxes(shape, spacing)
        left, top, right, bottom = source
        inner = Image.fromarray(np.ascontiguousarray(anomaly_map, np.float32)).crop(target)
        result = np.full(shape, np.min(anomaly_map), np.float32)
        result[top:bottom, left:right] = np.asarray(inner.resize((right - left, bottom - top), BILINEAR))
        return result

    def _resize(self, plane: np.ndarray, spacing: tuple[float, float] | None) -> np.ndarray:
        if plane.dtype == np.uint8:
            return self._placed(Image.fromarray(plane), spacing, BILINEAR)
        smooth = self._placed(Image.fromarray(plane.astype(np.float32)), spacing, BILINEAR)
        return np.rint(smooth).astype(np.uint16)

    def _placed(self, plane: Image.Image, spacing: tuple[float, float] | None, how: Image.Resampling) -> np.ndarray:
        source, (left, top, right, bottom) = self._boxes((plane.height, plane.width), spacing)
        resized = np.asarray(plane.resize((right - left, bottom - top), how, box=source))
        if resized.shape == (self.size, self.size):
            return resized
        square = np.zeros((self.size, self.size), resized.dtype)
        square[top:bottom, left:right] = resized
        return square

    def _boxes(self, shape: tuple[int, int], spacing: tuple[float, float] | None) -> tuple[Box, Box]:
        """Return which part of an image goes to which part of the square."""
        (height, width), (down, across) = shape, spacing or (1.0, 1.0)
        whole, square = (0, 0, width, height), (0, 0, self.size, self.size)
        tall, wide = height * down, width * across
        if self.fit == "pad":
            left, right = _middle(self.size, wide / max(tall, wide))
            top, bottom = _middle(self.size, tall / max(tall, wide))
            return whole, (left, top, right, bottom)
        if self.fit == "crop":
            left, right = _middle(width, min(tall, wide) / wide)
            top, bottom = _middle(height, min(tall, wide) / tall)
            return (left, top, right, bottom), square
        return whole, square


def _middle(length: int, share: float) -> tuple[int, int]:
    """Return where the middle of `length` pixels begins and ends that is `share` of it, at least one pixel."""
    inner = max(round(length * share), 1)
    begin = (length - inner) // 2
    return begin, begin + inner


def _grey(image: np.ndarray) -> np.ndarray:
    if image.dtype == np.uint8:
        return np.asarray(Image.fromarray(image).convert("L"))
    return np.rint(image @ GREY).astype(np.uint16)
