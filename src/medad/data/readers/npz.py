"""Arrays of NumPy that hold images: ``.npz`` in MedMNIST's layout and others, ``.npy``; nothing is unpickled."""

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np

from medad.data.readers.bounded import read_up_to
from medad.data.readers.contract import Decoded, Header, UnreadableImage, the_frame
from medad.data.readers.kept import BUDGET, KeptFiles
from medad.data.readers.sample import sample

ZIP, NPY = b"PK\x03\x04", b"\x93NUMPY"
NAME = slice(30, None)  # of a zip's first member in its head, after two bytes at 26 that tell its length
IMAGES = "images"  # what the names of MedMNIST's arrays of images end with
MAX_PIXELS = 2**25  # of an image
MAX_ARRAYS = 1000
MAX_HEADER = 2**14  # bytes; one that claims more is not read, least of all unpacked


@dataclass(frozen=True)
class Member:
    """An array in a file: name ("" in a ``.npy``), and what its own header tells, which ends at `offset`."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool
    offset: int

    @property
    def bytes(self) -> int:
        """How many its values take."""
        return prod(self.shape) * self.dtype.itemsize

    @property
    def images(self) -> int:
        """How many images it holds: (N, H, W) and (N, H, W, 3) hold N, (H, W, 3) and (H, W) one, others none."""
        if min(self.shape, default=0) < 1 or self.dtype.kind not in "buif":
            return 0
        if self.single:
            return 1
        return self.shape[0] if len(self.shape) == 3 or (len(self.shape) == 4 and self.shape[3] == 3) else 0

    @property
    def single(self) -> bool:
        """Whether the array is one image; two dimensions in an ``.npz`` are a table, such as labels."""
        return (len(self.shape) == 2 and not self.name) or (len(self.shape) == 3 and self.shape[2] == 3)


@dataclass(frozen=True)
class Images:
    """All images of a file: its arrays, (N, H, W) or (N, H, W, 3) each, and a sorted sample of their values."""

    arrays: tuple[np.ndarray, ...]
    population: np.ndarray


class NpzReader:
    """Reads arrays of images; the images of all arrays are the frames of the file, in the order of its arrays.

    ``uint8`` has white at 255. Other types declare no depth; their range is that of all images of the file.
    """

    name, version = "npz", "1"
    formats: tuple[str, ...] = ("NPZ", "NPY")
    suffixes: tuple[str, ...] = (".npz", ".npy")
    stills: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._kept: KeptFiles[Images] = KeptFiles()

    def knows(self, head: bytes) -> bool:
        """Return whether the file is an array, or a zip file whose first member is one; see `Reader`."""
        length = int.from_bytes(head[26:28], "little")
        return head.startswith(NPY) or (head.startswith(ZIP) and head[NAME][:length].endswith(b".npy"))

    def frames(self, path: Path) -> int:
        """Return the number of images in all arrays."""
        return sum(member.images for member in image_members(path))

    def header(self, path: Path, frame: int | None) -> Header:
        """Return an empty header: arrays tell nothing beside their values."""
        return Header()

    def read(self, path: Path, frame: int | None) -> Decoded:
        """Decode one image; see `medad.data.readers.decode`."""
        members = image_members(path)
        number = the_frame(path, frame, sum(member.images for member in members)) - 1
        size = sum(member.bytes for member in members)
        images = self._kept.get(path, size, lambda path: _read_images(path, members))
        for array in images.arrays:
            if number < len(array):
                return _decoded(array[number], images.population)
            number -= len(array)
        raise AssertionError("the_frame has seen to it")


def image_members(path: Path) -> list[Member]:
    """Return the arrays of images in a file: those of MedMNIST's names if there are any, otherwise all.

    Raises
    ------
    UnreadableImage
        If there are none, or the file is damaged, or claims more than fits into memory.
    """
    stat = path.stat()
    return _image_members(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=64)
def _image_members(path: Path, changed: int, size: int) -> list[Member]:
    members = [member for member in read_members(path) if member.images]
    chosen = [member for member in members if member.name.endswith(IMAGES)] or members
    if not chosen:
        raise UnreadableImage(path, "holds no array of images of the shape (N, H, W) or (N, H, W, 3)")
    if sum(member.bytes for member in chosen) > BUDGET:
        raise UnreadableImage(path, f"its images take more than {BUDGET // 2**20} MiB: save them as one file each")
    if any(member.bytes > MAX_PIXELS * member.images * member.dtype.itemsize * 3 for member in chosen):
        raise UnreadableImage(path, f"its header claims images of more than {MAX_PIXELS} pixels")
    return chosen


def read_members(path: Path) -> list[Member]:
    """Read the headers of all arrays in a file, and none of their values.

    Raises
    ------
    UnreadableImage
        If one is damaged, or claims another size than the file holds.
    """
    with _streams(path) as (names, open_member):
        if len(names) > MAX_ARRAYS:
            raise UnreadableImage(path, f"holds more than {MAX_ARRAYS} arrays: stack images of one size in one array")
        return [_read_header(path, name, *open_member(name)) for name in names]


def read_array(path: Path, member: Member) -> np.ndarray:
    """Read the values of one array: as many bytes as its header claims."""
    with _streams(path) as (_, open_member):
        stream, _ = open_member(member.name)
        with stream:
            stream.read(member.offset)
            buffer = read_up_to(stream, member.bytes)
    if len(buffer) < member.bytes:
        raise UnreadableImage(path, "cut short: a header claims more values than the file holds")
    return np.ndarray(member.shape, member.dtype, buffer, order="F" if member.fortran else "C")


@contextmanager
def _streams(path: Path) -> Iterator[tuple[list[str], Any]]:
    """Yield the names of the arrays, and what opens one of them and tells how many bytes it claims."""
    with open(path, "rb") as file:
        if file.read(len(NPY)) == NPY:
            file.seek(0)
            yield [""], lambda name: (file, path.stat().st_size)
            return
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {info.filename: info.file_size for info in archive.infolist() if info.filename.endswith(".npy")}
            names = [name.removesuffix(".npy") for name in sizes]
            yield names, lambda name: (archive.open(f"{name}.npy"), sizes[f"{name}.npy"])
    except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError, RuntimeError) as error:
        raise UnreadableImage(path, f"its compression is damaged, cut short or unknown ({error})") from error


def _read_header(path: Path, name: str, stream: IO[bytes], size: int) -> Member:
    head = io.BytesIO(stream.read(MAX_HEADER))
    version = np.lib.format.read_magic(head)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(head)
    if dtype.hasobject:
        raise UnreadableImage(path, f"the array {name or 'in it'} holds Python objects, which are not read")
    member = Member(name, shape, dtype, fortran, head.tell())
    if member.offset + member.bytes != size:
        raise UnreadableImage(path, "damaged: a header claims another number of values than the file holds")
    return member


def _read_images(path: Path, members: list[Member]) -> Images:
    arrays = [read_array(path, member) for member in members]
    population = np.sort(np.concatenate([sample(array) for array in arrays]))
    stacks = (array[None] if member.single else array for array, member in zip(arrays, members, strict=True))
    return Images(tuple(stacks), population)


def _decoded(image: np.ndarray, population: np.ndarray) -> Decoded:
    """Return one image; ``bool`` is black and white."""
    kind = np.float64 if image.dtype.itemsize > 8 else image.dtype.newbyteorder("=")
    pixels = np.ascontiguousarray(image, kind)
    if pixels.dtype == bool:
        pixels = pixels.astype(np.uint8) * np.uint8(255)
    numbers = np.isfinite(pixels)
    nothing = ~(numbers if pixels.ndim == 2 else numbers.all(axis=2))
    return Decoded(
        pixels,
        "NPZ",
        image.dtype.name,
        white=255 if pixels.dtype == np.uint8 else None,
        padding=nothing if nothing.any() else None,
        population=population,
        remarks=("pixels that are no number are black",) if nothing.any() else (),
    )
