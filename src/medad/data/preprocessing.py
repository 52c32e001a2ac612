"""The preprocessing "ddad": grey or RGB, resized by Pillow's bilinear filter."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from medad.errors import OptionError

EXACT_16_BIT = 257  # 255 * 257 = 65535


@dataclass(frozen=True)
class Preprocessing:
    """Resize to a square, aspect ratio not kept, as DDAD-ASR does at load.

    The filter widens when it shrinks (antialiasing). The mapping to [-1, 1] happens on tensors.

    Attributes
    ----------
    size : int
        Side S of the result, in pixels.
    channels : int
        1 for grey (ITU-R 601 weights), 3 for RGB.
    """

    size: int = 64
    channels: int = 1

    def __post_init__(self) -> None:
        """Refuse what is not an image format.

        Raises
        ------
        UserError
            If `channels` is neither 1 nor 3 or `size` is not positive.
        """
        if self.channels not in (1, 3):
            raise OptionError("channels", "give 1 (grey) or 3 (RGB)", self.channels)
        if self.size < 1:
            raise OptionError("size", "give a positive number of pixels", self.size)

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Convert one image.

        Parameters
        ----------
        image : ndarray
            ``uint8`` or ``uint16`` (H, W), or ``uint8`` (H, W, 3).

        Returns
        -------
        ndarray
            (C, S, S), of the same type. For 8 bits and one channel exactly
            ``Image.convert("L").resize((S, S), Image.BILINEAR)``.
        """
        if image.ndim == 3 and self.channels == 1:
            image = np.asarray(Image.fromarray(image).convert("L"))
        planes = np.moveaxis(np.atleast_3d(image), 2, 0)
        resized = np.stack([self._resize(np.ascontiguousarray(plane)) for plane in planes])
        return resized if len(resized) == self.channels else np.repeat(resized, self.channels, axis=0)

    def _resize(self, plane: np.ndarray) -> np.ndarray:
        size = (self.size, self.size)
        if plane.dtype == np.uint8:
            return np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR))
        smooth = Image.fromarray(plane.astype(np.float32)).resize(size, Image.Resampling.BILINEAR)
        return np.rint(np.asarray(smooth)).astype(np.uint16)

    def mask(self, image: np.ndarray) -> np.ndarray:
        """Convert one mask, pixels above 0, by the nearest pixel: (H, W) or (H, W, 3) to (S, S) ``bool``."""
        inside = (image > 0).reshape(*image.shape[:2], -1).any(axis=2)
        grey = Image.fromarray(inside.astype(np.uint8))
        return np.asarray(grey.resize((self.size, self.size), Image.Resampling.NEAREST)).astype(bool)


def widen(pixels: np.ndarray) -> np.ndarray:
    """Return ``uint16`` pixels; 8-bit values are multiplied by 257, so that white stays white."""
    return pixels if pixels.dtype == np.uint16 else pixels.astype(np.uint16) * np.uint16(EXACT_16_BIT)
