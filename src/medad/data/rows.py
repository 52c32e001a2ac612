"""Some images of an array, copied into a file of their own without ever being in memory together."""

from pathlib import Path

import numpy as np

from medad.files import replacing

ROWS_AT_ONCE = 1024


def copy_rows(pixels: np.ndarray, rows: np.ndarray, path: Path) -> np.ndarray:
    """Write ``pixels[rows]`` to the ``.npy`` file `path` and return it memory-mapped, read-only.

    Raises
    ------
    OSError
        If the disk is full; nothing is left of the file.
    """
    shape = (len(rows), *pixels.shape[1:])
    header = {"descr": np.lib.format.dtype_to_descr(pixels.dtype), "fortran_order": False, "shape": shape}
    with replacing(path) as partial, partial.open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        for start in range(0, len(rows), ROWS_AT_ONCE):
            stream.write(np.ascontiguousarray(pixels[rows[start : start + ROWS_AT_ONCE]]).data)
    return np.load(path, mmap_mode="r", allow_pickle=False)
