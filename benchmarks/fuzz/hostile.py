"""What no accident makes: bombs, pipes and devices, ways out of a folder and ways round in it."""

import json
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from math import isqrt
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.fuzz import bombs
from benchmarks.fuzz.claims import nest
from benchmarks.fuzz.sources import picture, sources
from medad.data.readers.pillow import MAX_PIXELS

SECRET = "the secret of the next folder"
UP = "../" * 12
LIMIT = (isqrt(MAX_PIXELS), isqrt(MAX_PIXELS))  # all the pixels that a picture may have


def hostile(name: str, folder: Path) -> Path:
    """Make a hostile file or folder in the empty `folder` and return its path."""
    made = HOSTILE[name](folder / name)
    return folder / name if made is None else made


def _bytes(data: Callable[[], bytes]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(data())

    return write


def _sparse(head: Callable[[], bytes], size: int = 1 << 42) -> Callable[[Path], None]:
    """Write a file whose end lies terabytes after its beginning; it takes no room on the drive."""

    def write(path: Path) -> None:
        path.write_bytes(head())
        with suppress(OSError):  # a file system that has no such files
            os.truncate(path, size)

    return write


def _large(mode: str, form: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        picture("L", (64, 64)).convert("L").resize(LIMIT).convert(mode).save(path, form)

    return write


def _pages(path: Path) -> None:
    first, *rest = [Image.new("1", (1, 1))] * 999
    first.save(path, save_all=True, append_images=rest)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(os.path.relpath(path))  # the name of a socket may not be long


def _link(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def _folder_with(fill: Callable[[Path], None]) -> Callable[[Path], None]:
    """Make a folder of one good image and something hostile."""

    def make(path: Path) -> None:
        path.mkdir()
        picture("L").save(path / "good.png")
        fill(path)

    return make


def _escape(path: Path) -> None:
    """Write a data.json that names files outside of its folder, and a device."""
    (path.parent / "outside").write_text(SECRET)
    (path / "images").mkdir()
    names = [
        f"../../{path.parent.name}/outside",
        f"{UP}etc/passwd",
        "/etc/passwd",
        f"{UP}dev/zero",
        "a.png#99999999999",
    ]
    (path / "data.json").write_text(
        json.dumps({"train": {"0": names, "unlabeled": {"0": [], "1": []}}, "test": _none()})
    )


def _none() -> dict[str, list[str]]:
    return {"0": [], "1": []}


def _deep_json(path: Path) -> None:
    (path / "data.json").write_text("[" * 100_000)


def _dicomdir(target: str) -> Callable[[Path], None]:
    """Write a DICOMDIR that refers to `target`."""

    def write(path: Path) -> None:
        from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
        from pydicom.uid import UID, ExplicitVRLittleEndian, MediaStorageDirectoryStorage

        (path.parent / "outside").write_text(SECRET)
        record, meta = Dataset(), FileMetaDataset()
        record.OffsetOfTheNextDirectoryRecord = record.OffsetOfReferencedLowerLevelDirectoryEntity = 4_000_000_000
        record.DirectoryRecordType, record.RecordInUseFlag = "IMAGE", 0xFFFF
        record.ReferencedFileID = target.split("/")
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = MediaStorageDirectoryStorage, UID("1.2.3")
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        whole = FileDataset(path / "DICOMDIR", {}, file_meta=meta, preamble=bytes(128))
        whole.DirectoryRecordSequence = [record]
        whole.save_as(path / "DICOMDIR", enforce_file_format=True)

    return write


def _loops(path: Path) -> None:
    for name, target in (("a", "."), ("b", ".."), ("self", "self")):
        (path / name).symlink_to(target)
    (path / "c").mkdir()
    (path / "c" / "back").symlink_to(path)


def _specials(path: Path) -> None:
    os.mkfifo(path / "pipe.png")
    _socket(path / "socket.dcm")
    for device in ("zero", "random", "stdin", "full"):
        (path / f"{device}.nii").symlink_to(f"/dev/{device}")


def _nested() -> bytes:
    data = dict(sources("DICOM"))["CT_small.dcm"]
    return nest(data, np.random.default_rng(3)) if data else data


HOSTILE: dict[str, Callable[[Path], Path | None]] = {
    "empty.dcm": _bytes(lambda: b""),
    "gzip-bomb.nii.gz": _bytes(lambda: bombs.gzip_bomb(bombs.nifti_head((32767, 32767, 2)))),
    "gzip-bomb-small-header.nii.gz": _bytes(lambda: bombs.gzip_bomb(bombs.nifti_head((4, 4, 4)))),
    "gzip-bomb-far-offset.nii.gz": _bytes(lambda: bombs.gzip_bomb(_far_offset())),
    "claims-memory.nii": _sparse(lambda: bombs.nifti_head((32767, 32767, 32767))),
    "zip-bomb.npz": _bytes(lambda: bombs.zip_bomb("train_images.npy", bombs.npy_head((65536, 255, 255), "|u1"))),
    "zip-bomb-one-image.npz": _bytes(lambda: bombs.zip_bomb("arr_0.npy", bombs.npy_head((65000, 65000), "|u1"))),
    "zip-bomb-header.npz": _bytes(lambda: bombs.zip_bomb("arr_0.npy", b"\x93NUMPY\x02\0\xff\xff\xff\xf0")),
    "pickle.npz": _bytes(lambda: bombs.zip_bomb("arr_0.npy", bombs.npy_head((4,), "|O"), 1)),
    "sparse.dcm": _sparse(lambda: dict(sources("DICOM"))["CT_small.dcm"]),
    "sparse.tif": _sparse(lambda: sources("TIFF")[0][1]),
    "sparse.npz": _sparse(lambda: sources("NPZ")[0][1]),
    "nested.dcm": _bytes(_nested),
    "png-bomb.png": _bytes(lambda: bombs.png_bomb(16_384, 16_384, 0, 8)),
    "largest-rgb.png": _bytes(lambda: bombs.png_bomb(*LIMIT, 2, 8)),
    "largest-rgba.png": _bytes(lambda: bombs.png_bomb(*LIMIT, 6, 8)),
    "largest-deep-rgb.png": _bytes(lambda: bombs.png_bomb(*LIMIT, 2, 16)),
    "largest-deep-grey.png": _bytes(lambda: bombs.png_bomb(*LIMIT, 0, 16)),
    "largest-int32.tif": _large("I", "TIFF"),
    "largest-float.tif": _large("F", "TIFF"),
    "largest-cmyk.jpg": _large("CMYK", "JPEG"),
    "pages.tif": _pages,
    "pipe.png": lambda path: os.mkfifo(path),
    "socket.dcm": _socket,
    "device-zero.png": _link("/dev/zero"),
    "device-random.dcm": _link("/dev/urandom"),
    "device-terminal.nii": _link("/dev/tty"),
    "link-to-itself.png": _link("link-to-itself.png"),
    "link-to-nothing.png": _link("nothing"),
    "link-to-folder.png": _link("/"),
    "process-memory.tif": _link("/proc/self/mem"),
    "text.dcm": _bytes(lambda: SECRET.encode()),
    "folder-of-loops": _folder_with(_loops),
    "folder-of-specials": _folder_with(_specials),
    "folder-link-outside": _folder_with(lambda path: (path / "out").symlink_to("/dev")),
    "data.json-escapes": _folder_with(_escape),
    "data.json-is-deep": _folder_with(_deep_json),
    "data.json-is-a-pipe": _folder_with(lambda path: os.mkfifo(path / "data.json")),
    "DICOMDIR-escapes": _folder_with(_dicomdir("../outside")),
    "DICOMDIR-names-a-device": _folder_with(_dicomdir("/dev/zero")),
    "DICOMDIR-names-itself": _folder_with(_dicomdir("DICOMDIR")),
}


def _far_offset() -> bytes:
    """Return a NIfTI header whose pixels begin after 3 GB."""
    import struct

    head = bytearray(bombs.nifti_head((4, 4, 4)))
    struct.pack_into("<f", head, 108, 3e9)
    return bytes(head)
