"""NIfTI volumes, plain or compressed by gzip; the slices of a volume are its frames."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medad.data.readers.bounded import read_up_to
from medad.data.readers.contract import Decoded, Header, UnreadableImage, the_frame
from medad.data.readers.geometry import Axis
from medad.data.readers.kept import KeptFiles
from medad.data.readers.nifti_header import COLOURS, Layout, begins_as, opened, read_layout
from medad.data.readers.sample import sample


@dataclass(frozen=True)
class Volume:
    """The voxels of a file, (I, J, K) in its own type, and a sorted sample of their values."""

    voxels: np.ndarray
    population: np.ndarray


class NiftiReader:
    """Reads volumes slice by slice; see :class:`medad.data.readers.geometry.Geometry` for which and which way up.

    Grey levels: ``uint8`` without a scale has white at 255. All other types, ``uint16`` too, declare no depth in
    NIfTI and have no white of their own; the range is that of the whole volume, so that its slices stay comparable.
    """

    name, version = "nifti", "1"
    formats: tuple[str, ...] = ("NIfTI",)
    suffixes: tuple[str, ...] = (".nii", ".nii.gz")
    stills: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._kept: KeptFiles[Volume] = KeptFiles()

    def knows(self, head: bytes) -> bool:
        """Return whether the file, unpacked if it is compressed, begins as NIfTI; see `Reader`."""
        return begins_as(head) != 0

    def frames(self, path: Path) -> int:
        """Return the number of slices."""
        return read_layout(path).geometry.slices

    def header(self, path: Path, frame: int | None) -> Header:
        """Return what is said of every slice: spacing, bits, and by its patient which volume it is of."""
        return read_layout(path).header

    def read(self, path: Path, frame: int | None) -> Decoded:
        """Decode one slice; see `medad.data.readers.decode`."""
        return self.slice(path, frame)

    def slice(self, path: Path, frame: int | None, axis: Axis | None = None) -> Decoded:
        """Decode one slice along `axis`; by default that of the largest spacing."""
        layout = read_layout(path, axis)
        number = the_frame(path, frame, layout.geometry.slices)
        volume = self._kept.get(path, layout.bytes, lambda path: _read_volume(path, layout))
        pixels = _values(layout.geometry.picture(volume.voxels, number), layout)
        nothing = ~np.isfinite(pixels)
        lacking = ("voxels that are no number are black",) if nothing.any() else ()
        return Decoded(
            pixels,
            "NIfTI",
            "RGB24" if layout.dtype.names else layout.dtype.name,
            layout.header,
            white=255 if pixels.dtype == np.uint8 else None,
            padding=nothing if lacking else None,
            population=volume.population,
            remarks=(*layout.remarks, *lacking),
        )


def _read_volume(path: Path, layout: Layout) -> Volume:
    """Read as many bytes as the header claims, and not one that a gzip bomb has beyond them."""
    with opened(path) as (stream, _):
        stream.seek(layout.offset)
        buffer = read_up_to(stream, layout.bytes)
    if len(buffer) < layout.bytes:
        raise UnreadableImage(path, "cut short: the header claims more voxels than the file holds")
    voxels = np.ndarray(layout.geometry.shape, layout.dtype, buffer, order="F")
    return Volume(voxels, sample(voxels, lambda stored: _values(stored, layout)))


def _values(stored: np.ndarray, layout: Layout) -> np.ndarray:
    """Return stored voxels as the values that they mean, colours in a last axis of 3."""
    if layout.dtype.names:
        return np.stack([stored[colour] for colour in COLOURS], axis=-1)
    if (layout.slope, layout.intercept) != (1.0, 0.0):
        return stored.astype(np.float64) * layout.slope + layout.intercept
    kind = np.float64 if stored.dtype.itemsize > 8 else stored.dtype.newbyteorder("=")
    return np.ascontiguousarray(stored, dtype=kind)
