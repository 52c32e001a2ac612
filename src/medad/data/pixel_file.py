"""Images written into a file as they come, so that they are never in memory together."""

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from medad.data.intensity import widen
from medad.data.rows import ROWS_AT_ONCE


class PixelFile:
    """A ``.npy`` file that grows by some images at a time; once one has 16 bits, all have.

    Parameters
    ----------
    path : Path
        The file; one that is there is replaced.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.count = path, 0
        self._dtype: np.dtype[Any] = np.dtype(np.uint8)

    def add(self, pixels: np.ndarray) -> None:
        """Append images, ``uint8`` or ``uint16`` (n, C, S, S), of one size each time."""
        if not self.count:
            self._begin(pixels)
        elif pixels.dtype != self._dtype and self._dtype == np.uint8:
            self._widen()
        rows = pixels if pixels.dtype == self._dtype else widen(pixels)
        with self.path.open("r+b") as stream:
            stream.seek(0, 2)
            stream.write(np.ascontiguousarray(rows).data)
            self.count += len(rows)
            self._write_header(stream, pixels.shape[1:])

    def pixels(self) -> np.ndarray:
        """Return all images, memory-mapped and read-only; there is at least one."""
        return np.load(self.path, mmap_mode="r", allow_pickle=False)

    def _begin(self, pixels: np.ndarray) -> None:
        self._dtype = pixels.dtype
        with self.path.open("wb") as stream:
            self._write_header(stream, pixels.shape[1:])

    def _write_header(self, stream: BinaryIO, shape: tuple[int, ...]) -> None:
        """Write the header, whose length does not depend on the number of images."""
        stream.seek(0)
        described = {"descr": np.lib.format.dtype_to_descr(self._dtype), "fortran_order": False}
        np.lib.format.write_array_header_1_0(stream, described | {"shape": (self.count, *shape)})

    def _widen(self) -> None:
        narrow, wide = self.pixels(), PixelFile(self.path.with_suffix(".wide.npy"))
        for start in range(0, len(narrow), ROWS_AT_ONCE):
            wide.add(widen(narrow[start : start + ROWS_AT_ONCE]))
        wide.path.replace(self.path)
        self._dtype = np.dtype(np.uint16)
