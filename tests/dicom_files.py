"""Small DICOM files for tests: the pixels as they are given, and any element beside them."""

from pathlib import Path
from typing import Any

import numpy as np
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

CR, SR, DIRECTORY = (UID(f"1.2.840.10008.{end}") for end in ("5.1.4.1.1.1", "5.1.4.1.1.88.11", "1.3.10"))


def dataset(pixels: np.ndarray, bits: int | None = None, **elements: Any) -> Dataset:
    """Return an object with one frame (H, W), (H, W, 3) or, if it is said how many, several."""
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = CR, "1.2.3"
    colour = pixels.ndim == 3 and "NumberOfFrames" not in elements
    ds.Rows, ds.Columns = pixels.shape[-3 if colour else -2 :][:2]
    ds.SamplesPerPixel = 3 if colour else 1
    ds.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        ds.PlanarConfiguration = 0
    ds.BitsAllocated = 8 * pixels.itemsize
    if pixels.dtype.kind == "f":
        setattr(ds, "FloatPixelData" if pixels.itemsize == 4 else "DoubleFloatPixelData", pixels.tobytes())
    else:
        ds.BitsStored = bits or ds.BitsAllocated
        ds.HighBit, ds.PixelRepresentation = ds.BitsStored - 1, int(pixels.dtype.kind == "i")
        ds.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return ds


def write(path: Path, ds: Dataset, syntax: UID = ExplicitVRLittleEndian, preamble: bool = True) -> Path:
    """Write an object; without preamble and file meta information as some old files are."""
    if "PixelData" in ds and not syntax.is_encapsulated:
        ds["PixelData"].VR = "OB" if ds.BitsAllocated <= 8 and not syntax.is_implicit_VR else "OW"
    if syntax == ExplicitVRBigEndian and ds.get("BitsAllocated") == 16:
        ds.PixelData = np.frombuffer(ds.PixelData, np.uint16).byteswap().tobytes()
    if preamble:
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID, ds.file_meta.MediaStorageSOPClassUID = syntax, ds.SOPClassUID
        ds.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
        dcmwrite(path, ds, enforce_file_format=True)
    else:
        dcmwrite(path, ds, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=syntax != ExplicitVRBigEndian)
    return path


def item(**elements: Any) -> Dataset:
    """Return an item of a sequence."""
    ds = Dataset()
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return ds


def lut(entries: list[int], first: int, bits: int, vr: str = "US") -> Dataset:
    """Return a lookup table as an item."""
    ds = Dataset()
    ds.add_new("LUTDescriptor", "SS" if first < 0 else "US", [len(entries), first, bits])
    ds.add_new("LUTData", vr, entries if vr == "US" else np.array(entries, "<u2").tobytes())
    return ds
