"""The tables of docs/dicom.md: what is read of every transfer syntax and photometric interpretation, by reading it."""

import warnings
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pydicom
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.pixels import get_decoder
from pydicom.pixels.common import PhotometricInterpretation
from pydicom.uid import UID, AllTransferSyntaxes, ExplicitVRLittleEndian

from medad.data.readers import UnreadableImage, count_frames, decode, read_header
from medad.data.readers.dicom_pixels import GPL, plug_ins
from medad.data.shown import read_image
from medad.reports.markdown import markdown_table

MARKS = ("<!-- dicom -->", "<!-- end of dicom -->")
SHIPPED = Path(pydicom.__file__).parent / "data"
PACKAGES = {"": "pydicom", "gdcm": "python-gdcm", "pillow": "Pillow"}  # the others are called as their packages are
OF_PYLIBJPEG = {"RLE": "pylibjpeg-rle", "2000": "pylibjpeg-openjpeg"}
STORED = {  # pixels that are tried
    "PALETTE COLOR": [[0], [1]],
    "YBR_FULL_422": [[76, 76, 85, 255]],  # two of luminance, one of each colour
    "YBR_FULL": [[76, 85, 255], [150, 44, 21]],
}
GREY, COLOURS = [[0], [255]], [[255, 0, 0], [0, 255, 0]]
TABLE = bytes([10, 200])  # the palette that is tried, for each colour


def tables() -> str:
    """Return both tables in Markdown."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of damaged files among those of pydicom
        read = _read_files()
        return "\n\n".join([_syntaxes(read["syntax"]), _photometric(read["photometric"])])


def _read_files() -> dict[str, dict[str, list[bool]]]:
    """Try every image that ships with pydicom: whether it is read, by its syntax and its interpretation."""
    found: dict[str, dict[str, list[bool]]] = {"syntax": defaultdict(list), "photometric": defaultdict(list)}
    for file in sorted(SHIPPED.rglob("*")):
        try:
            header = read_header(file)
        except UnreadableImage:
            continue
        if header.photometric and count_frames(file):
            for name, of_name in found.items():
                of_name[getattr(header, name)].append(_is_read(file))
    return found


def _is_read(file: Path) -> bool:
    try:
        return bool([decode(file, frame) for frame in {1, count_frames(file)}])
    except UnreadableImage:
        return False


def _share(tried: list[bool] | None) -> str:
    return f"{sum(tried)} of {len(tried)}" if tried else ""


def _syntaxes(read: dict[str, list[bool]]) -> str:
    rows = [["transfer syntax", "UID", "decoded by", "pydicom's files read"]]
    for syntax in AllTransferSyntaxes:
        by = _decoded_by(syntax)
        if by:
            rows.append([syntax.name, f"`{syntax}`", by, _share(read.get(syntax.name))])
    others = ", ".join(syntax.name for syntax in AllTransferSyntaxes if not _decoded_by(syntax))
    return f"{markdown_table(rows)}\n\nRefused by name, as nothing decodes them: {others}."


def _decoded_by(syntax: UID) -> str:
    """Name the packages that decode a syntax, of those that medad installs."""
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        return ""
    names = [PACKAGES.get(name, name) for name in plug_ins(decoder)]
    return ", ".join(_of_pylibjpeg(syntax) if name == "pylibjpeg" else name for name in names)


def _of_pylibjpeg(syntax: UID) -> str:
    return next((package for part, package in OF_PYLIBJPEG.items() if part in syntax.name), GPL)


def _photometric(read: dict[str, list[bool]]) -> str:
    rows = [["photometric interpretation", "two pixels, uncompressed", "as shown", "pydicom's files read"]]
    for name in (one.value for one in PhotometricInterpretation):
        stored = STORED.get(name, GREY if name.startswith("MONO") else COLOURS)
        rows.append([name, _told(stored), _shown(name, stored), _share(read.get(name))])
    return markdown_table(rows)


def _told(pixels: Iterable[Iterable[int]]) -> str:
    return "; ".join(", ".join(map(str, pixel)) for pixel in pixels)


def _shown(photometric: str, stored: list[list[int]]) -> str:
    """Read two pixels that are stored so, uncompressed."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "scan"
        _write(path, photometric, np.array(stored, np.uint8))
        try:
            return _told(np.atleast_2d(np.squeeze(read_image(path), 0)).reshape(2, -1).tolist())
        except UnreadableImage as error:
            return f"refused: {error.reason}"


def _write(path: Path, photometric: str, stored: np.ndarray) -> None:
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3"
    ds.Rows, ds.Columns, ds.SamplesPerPixel = 1, 2, 3 if stored.size > 2 else 1
    ds.PhotometricInterpretation, ds.PlanarConfiguration = photometric, 0
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
    for colour in ("Red", "Green", "Blue") if photometric == "PALETTE COLOR" else ():
        setattr(ds, f"{colour}PaletteColorLookupTableDescriptor", [len(TABLE), 0, 8])
        setattr(ds, f"{colour}PaletteColorLookupTableData", TABLE)
    ds.PixelData = stored.tobytes()
    ds["PixelData"].VR = "OB"
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dcmwrite(path, ds, enforce_file_format=True)
