"""Slices of NIfTI volumes along an axis that the user chose, and of the segmentations that belong to them."""

from pathlib import Path

import numpy as np
from PIL import Image

from medad.data.intensity import Intensity
from medad.data.readers import UnreadableImage, find_reader
from medad.data.readers.files import one_reason
from medad.data.readers.geometry import Axis, Geometry
from medad.data.readers.nifti import NiftiReader
from medad.data.readers.nifti_header import read_layout

DARK = 0.05  # of white: what is no brighter is background
AFFINE_TOLERANCE = 1e-3  # millimetres


def geometry_of(volume: Path, axis: Axis | None) -> Geometry:
    """Return how the slices of a volume lie.

    Raises
    ------
    UnreadableImage
        If it is none that can be read.
    """
    with one_reason(volume, None):
        return read_layout(volume, axis).geometry


def read_slice(volume: Path, number: int, axis: Axis | None, intensity: Intensity) -> np.ndarray:
    """Return the grey levels of a slice, ``uint8`` or ``uint16``; see :class:`medad.data.readers.geometry.Geometry`.

    Raises
    ------
    UnreadableImage
        If it cannot be read.
    """
    with one_reason(volume, None):
        return intensity(_reader(volume).slice(volume, number, axis))[0]


def read_segmentation(mask: Path, number: int, axis: Axis | None, volume: Path) -> np.ndarray:
    """Return where a slice of a segmentation is above 0, (rows, columns) ``bool``.

    Raises
    ------
    UnreadableImage
        If it cannot be read, or does not lie as the `volume` does.
    """
    ours, theirs = geometry_of(mask, axis), geometry_of(volume, axis)
    if ours.shape != theirs.shape or not np.allclose(ours.affine, theirs.affine, atol=AFFINE_TOLERANCE):
        raise UnreadableImage(mask, f"is of another size or lies elsewhere than {volume}: resample it to the volume")
    with one_reason(mask, None):
        return np.greater(_reader(mask).slice(mask, number, axis).pixels, 0)


def foreground(levels: np.ndarray) -> float:
    """Return the share of pixels that are brighter than the background."""
    return float((levels > DARK * np.iinfo(levels.dtype).max).mean())


def write_picture(levels: np.ndarray, file: Path) -> None:
    """Write grey levels as PNG, as deep as they are: nothing of 16 bits is lost."""
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.ascontiguousarray(levels)).save(file)


def _reader(path: Path) -> NiftiReader:
    reader = find_reader(path)
    if not isinstance(reader, NiftiReader):
        raise UnreadableImage(path, "not a NIfTI volume")
    return reader
