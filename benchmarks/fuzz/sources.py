"""Whole files to damage: those that pydicom and nibabel ship for their own tests, and pictures that are drawn here."""

import io
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

LARGEST = 400_000  # bytes: of larger files a mutation rarely meets what decides
TIFF_WAYS = ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
MODES = {  # what each format can hold
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "JPEG": ("L", "RGB", "CMYK"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "LAB", "I;16", "I", "F"),
    "BMP": ("1", "L", "P", "RGB"),
    "WebP": ("RGB", "RGBA"),
    "JPEG 2000": ("L", "LA", "RGB", "RGBA", "I;16"),
}
SUFFIXES = {"JPEG 2000": "jp2", "TIFF": "tif", "JPEG": "jpg"}
FAMILIES = ("DICOM", "NIfTI", "NPZ", *MODES)
Source = tuple[str, bytes]  # name and contents


@cache
def sources(family: str) -> tuple[Source, ...]:
    """Return the whole files of a family, the same ones each time."""
    if family == "DICOM":
        import pydicom

        folder = Path(pydicom.__file__).parent / "data" / "test_files"
        return (*_shipped(folder, "*"), *_shipped(folder, "**/DICOMDIR*"))  # most of what lies deeper has no pixels
    if family == "NIfTI":
        import nibabel

        folder = Path(nibabel.__file__).parent / "tests" / "data"
        return tuple(file for end in ("nii", "nii.gz", "hdr", "mgz") for file in _shipped(folder, f"*.{end}"))
    if family == "NPZ":
        return tuple(_npz())
    return tuple(_pictures(family))


def _shipped(folder: Path, pattern: str) -> tuple[Source, ...]:
    files = sorted(file for file in folder.glob(pattern) if file.is_file() and file.suffix not in (".py", ".pyc"))
    return tuple((file.name, file.read_bytes()) for file in files if 0 < file.stat().st_size <= LARGEST)


def picture(mode: str, size: tuple[int, int] = (48, 40)) -> Image.Image:
    """Return a picture of a gradient and noise in one of Pillow's modes."""
    width, height = size
    noise = np.random.default_rng(0).integers(0, 64, (height, width, 4))
    colours = (np.linspace(0, 191, width)[:, None] + noise).astype(np.uint8)
    deep = colours[..., 0].astype(np.int32) * 257
    if mode in ("I;16", "I", "F"):
        return Image.fromarray(deep.astype({"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode]))
    if mode == "LAB":
        return Image.merge("LAB", Image.fromarray(colours).convert("RGB").split())
    return Image.fromarray(colours).convert(mode)


def _pictures(family: str) -> list[Source]:
    written: list[Source] = []
    for mode in MODES[family]:
        ways: list[dict[str, object]] = [{}]
        if family == "TIFF" and mode in ("L", "RGB", "I;16"):
            ways = [{"compression": way} for way in TIFF_WAYS if mode != "I;16" or way != "jpeg"]
            ways += [{"save_all": True, "append_images": [picture(mode)] * 2}, {"big_tiff": True}]
        if family == "JPEG":
            ways.append({"progressive": True})
        for number, options in enumerate(ways):
            stream = io.BytesIO()
            picture(mode).save(stream, family.replace(" ", "").replace("JPEG2000", "JPEG2000"), **options)
            suffix = SUFFIXES.get(family, family.lower())
            written.append((f"{mode.replace(';', '')}-{number}.{suffix}", stream.getvalue()))
    return written


def _npz() -> list[Source]:
    rng = np.random.default_rng(0)
    written: list[Source] = []
    for name, shape, dtype in (
        ("grey", (6, 28, 28), "u1"),
        ("rgb", (6, 28, 28, 3), "u1"),
        ("deep", (4, 28, 28), "<u2"),
    ):
        arrays = {f"{split}_images": rng.integers(0, 200, shape).astype(dtype) for split in ("train", "val", "test")}
        arrays |= {f"{split}_labels": rng.integers(0, 2, (shape[0], 1), "u1") for split in ("train", "val", "test")}
        for how, save in (("stored", np.savez), ("deflated", np.savez_compressed)):
            stream = io.BytesIO()
            save(stream, **arrays)  # type: ignore[arg-type]
            written.append((f"{name}-{how}.npz", stream.getvalue()))
    return written
