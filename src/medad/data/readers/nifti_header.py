"""The header of a NIfTI file: where its voxels are, how they lie in the patient, and what cannot be read."""

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np

from medad.data.readers.contract import Header, UnreadableImage
from medad.data.readers.geometry import Axis, Geometry
from medad.data.readers.kept import BUDGET

GZIP = b"\x1f\x8b\x08"
VERSION_1, VERSION_2 = 348, 540  # bytes of the header, its first number
MAX_BYTES = BUDGET  # of voxels in a file: 1536 CT slices of 512 x 512
MAX_PIXELS = 2**25  # of a slice
MAX_OFFSET = 64 * 2**20  # bytes before the voxels
BEST_DEFLATE = 1032  # times: more than this gzip cannot compress
IDENTITY = 64 * 2**10  # bytes at either end of a file by which its volume is known again
COLOURS = ("R", "G", "B")
CIFTI = range(3000, 3100)  # intents of values on surfaces
PAIR = "the header of a pair of files (.hdr and .img): save it as one .nii file"


@dataclass(frozen=True)
class Layout:
    """What the header of a file says: where its voxels are, of what type, and how they are meant."""

    geometry: Geometry
    dtype: np.dtype[Any]
    offset: int
    slope: float
    intercept: float
    version: int
    identity: str
    remarks: tuple[str, ...]

    @property
    def header(self) -> Header:
        """Spacing of a slice, and as patient a number of the volume's own, as its slices belong together."""
        bits = 8 if self.dtype.names else 8 * self.dtype.itemsize
        patient = self.identity if self.geometry.slices > 1 else ""
        return Header(patient=patient, syntax=f"NIfTI-{self.version}", bits=bits, spacing=self.geometry.spacing)

    @property
    def bytes(self) -> int:
        """How many the voxels take."""
        return prod(self.geometry.shape) * self.dtype.itemsize


def read_layout(path: Path, axis: Axis | None = None) -> Layout:
    """Read what the header of a NIfTI file says.

    Parameters
    ----------
    path : Path
        The file.
    axis : {'sagittal', 'coronal', 'axial'}, optional
        Which slices are wanted; by default those along the largest spacing.

    Raises
    ------
    UnreadableImage
        If the file holds anything but one volume that can be read, with the reason.
    """
    stat = path.stat()
    return _layout(path, axis, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=256)
def _layout(path: Path, axis: Axis | None, changed: int, size: int) -> Layout:
    with opened(path) as (stream, packed):
        head = stream.read(VERSION_2)
    version = _version(head)
    header = _header(path, head, version)
    shape, dtype = _one_volume(path, header.get_data_shape()), _known_type(path, header)
    affine, remarks = _affine(header)
    if "A" in (dtype.names or ()):
        remarks = (*remarks, "transparency left out")
    slope, intercept = header.get_slope_inter()
    layout = Layout(
        Geometry.of(shape, affine, axis),
        dtype,
        int(header.get_data_offset()),
        1.0 if slope is None else float(slope),
        0.0 if intercept is None else float(intercept),
        version,
        _identity(path, size),
        remarks,
    )
    _check_claims(path, layout, size * BEST_DEFLATE if packed else size)
    return layout


@contextmanager
def opened(path: Path) -> Iterator[tuple[IO[bytes], bool]]:
    """Open a file, and unpack it if it is compressed; whatever is wrong with its compression is said."""
    with open(path, "rb") as file:
        packed = file.read(len(GZIP)) == GZIP
        file.seek(0)
        try:
            yield (gzip.GzipFile(fileobj=file), True) if packed else (file, False)  # type: ignore[misc]
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise UnreadableImage(path, f"its compression is damaged or cut short ({error})") from error


def begins_as(head: bytes) -> int:
    """Return the version of NIfTI that a file begins as, 0 for other files; nothing but the head is unpacked."""
    if head.startswith(GZIP):
        try:
            head = zlib.decompressobj(wbits=31).decompress(head, VERSION_2)
        except zlib.error:
            return 0
    return _version(head)


def _version(head: bytes) -> int:
    if head[344:348] in (b"n+1\0", b"ni1\0"):
        return 1
    return 2 if head[4:7] in (b"n+2", b"ni2") and head[7:12] == b"\0\r\n\x1a\n" else 0


def _header(path: Path, head: bytes, version: int) -> Any:
    """Return nibabel's header of a file that holds its voxels itself."""
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    kind, length = (Nifti1Header, VERSION_1) if version == 1 else (Nifti2Header, VERSION_2)
    if len(head) < length:
        raise UnreadableImage(path, "cut short: its header is not whole")
    header = kind(head[:length], check=False)
    if bytes(header["magic"]).startswith(b"ni"):
        raise UnreadableImage(path, PAIR)
    if int(header["intent_code"]) in CIFTI:
        raise UnreadableImage(path, "holds values on surfaces (CIFTI), not a volume")
    return header


def _known_type(path: Path, header: Any) -> np.dtype[Any]:
    dtype: np.dtype[Any] = header.get_data_dtype()
    if dtype.kind == "c":
        raise UnreadableImage(path, "holds complex numbers: save their magnitude")
    if dtype.kind == "V" and not set(COLOURS) <= set(dtype.names or ()):
        raise UnreadableImage(path, f"its voxels are of a type that is not read (NIfTI's {header['datatype']})")
    return dtype


def _one_volume(path: Path, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return I, J and K; images of two dimensions are a volume of one slice."""
    if len(shape) < 2 or min(shape) < 1:
        raise UnreadableImage(path, f"its header claims the size {' x '.join(map(str, shape)) or 'of nothing'}")
    if prod(shape[3:]) > 1:
        how = "split it into one file per volume, as `fslsplit` or nibabel's `four_to_three` do"
        raise UnreadableImage(path, f"holds several volumes ({' x '.join(map(str, shape))}), not one: {how}")
    i, j, k = (*shape, 1)[:3]
    return int(i), int(j), int(k)


def _affine(header: Any) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the affine, and what to say if the file lacks one: then left and right are a guess of the standard."""
    affine = np.asarray(header.get_best_affine(), dtype=np.float64)
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    if not np.isfinite(affine).all() or not lengths.all() or not np.linalg.det(affine[:3, :3] / lengths):
        return np.diag([-1.0, 1, 1, 1]), ("the affine is damaged: slices are taken as the file stores them",)
    if not header["qform_code"] and not header["sform_code"]:
        return affine, ("the file does not say where left is",)
    return affine, ()


def _check_claims(path: Path, layout: Layout, at_most: int) -> None:
    """Refuse what is too large, and headers that claim more than the file can hold."""
    if prod(layout.geometry.shape) > MAX_PIXELS * layout.geometry.slices:
        raise UnreadableImage(path, f"its header claims slices of more than {MAX_PIXELS} pixels")
    if layout.bytes > MAX_BYTES or not 0 <= layout.offset <= MAX_OFFSET:
        size = " x ".join(map(str, layout.geometry.shape))
        limit = f"more than {MAX_BYTES // 2**20} MiB are not read: cut it or save it in a smaller type"
        raise UnreadableImage(path, f"its header claims {size} voxels of {layout.dtype.itemsize} bytes: {limit}")
    if layout.offset + layout.bytes > at_most:
        raise UnreadableImage(path, "cut short: the header claims more voxels than the file holds")


def _identity(path: Path, size: int) -> str:
    """Return a number that is the same for all slices of a volume and tells nothing of the patient."""
    with open(path, "rb") as stream:
        ends = stream.read(IDENTITY)
        stream.seek(max(size - IDENTITY, 0))
        ends += stream.read(IDENTITY)
    return f"volume-{hashlib.blake2b(ends + str(size).encode(), digest_size=6).hexdigest()}"
