"""A DICOM file opened: the few elements that an image needs, and where its pixels begin."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from medad.data.readers.contract import UnreadableImage

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.uid import UID

LARGE = 1 << 25  # bytes: a larger element is not loaded; the functional groups of 10,000 frames are smaller
INFLATED = 1 << 28  # bytes: more is not inflated
DEFLATED, EXPLICIT = b"1.2.840.10008.1.2.1.99", b"1.2.840.10008.1.2.1\0\0\0"
META = b"\x02\0\0\0UL\4\0"  # the first element after "DICM": how long the file meta information is
PIXELS = {0x7FE00008: "FloatPixelData", 0x7FE00009: "DoubleFloatPixelData", 0x7FE00010: "PixelData"}
UNDEFINED = 0xFFFFFFFF
OVERLAYS = range(0x60000010, 0x60200010, 0x20000)  # OverlayRows of each group
ELEMENTS = """
    SOPClassUID PatientID PatientName IssuerOfPatientID PatientSex PatientAge StudyInstanceUID SeriesInstanceUID
    ViewPosition ViewCodeSequence Laterality ImageLaterality Manufacturer SamplesPerPixel PhotometricInterpretation
    PlanarConfiguration NumberOfFrames
    Rows Columns BitsAllocated BitsStored HighBit PixelRepresentation PixelSpacing ImagerPixelSpacing
    NominalScannedPixelSpacing PixelAspectRatio PixelPaddingValue PixelPaddingRangeLimit FloatPixelPaddingValue
    FloatPixelPaddingRangeLimit DoubleFloatPixelPaddingValue DoubleFloatPixelPaddingRangeLimit RescaleSlope
    RescaleIntercept ModalityLUTSequence VOILUTSequence WindowCenter WindowWidth VOILUTFunction PresentationLUTShape
    RedPaletteColorLookupTableDescriptor RedPaletteColorLookupTableData GreenPaletteColorLookupTableData
    BluePaletteColorLookupTableData SegmentedRedPaletteColorLookupTableData SegmentedGreenPaletteColorLookupTableData
    SegmentedBluePaletteColorLookupTableData SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence
    ExtendedOffsetTable ExtendedOffsetTableLengths DirectoryRecordSequence
""".split()  # noqa: SIM905


@dataclass(frozen=True)
class DicomFile:
    """An opened file.

    Attributes
    ----------
    path : Path
        The file.
    data : Dataset
        Those of `ELEMENTS` that it has, outside of its pixels.
    stream : BinaryIO
        At the first byte of the pixels' value, or at the end where there are none.
    syntax : UID
        The transfer syntax.
    keyword, vr : str
        The element of the pixels, and its value representation where the file says it; empty where there are none.
    """

    path: Path
    data: "Dataset"
    stream: BinaryIO
    syntax: "UID"
    keyword: str
    vr: str

    @property
    def kind(self) -> str:
        """What the object is, in the words of the standard; empty if it does not say."""
        from pydicom.uid import UID

        uid = text(self.data, "SOPClassUID") or text(self.data.file_meta, "MediaStorageSOPClassUID")
        return UID(uid).name.removesuffix(" Storage") if _is_uid(uid) else "of an unknown kind"

    def refuse(self, reason: str) -> UnreadableImage:
        """Return the error to raise."""
        return UnreadableImage(self.path, reason)


@contextmanager
def opened(path: Path) -> Iterator[DicomFile]:
    """Read what precedes the pixels; nothing is loaded that an image does not need."""
    from pydicom import dcmread

    with open(path, "rb") as file:
        inflated = _inflated(path, file)
        stream = inflated or file
        data = dcmread(stream, defer_size=LARGE, stop_before_pixels=True, force=True, specific_tags=_tags())
        keyword, vr, compressed = _pixel_element(stream, data.original_encoding[1] is not False)
        yield DicomFile(path, data, stream, _syntax(path, data, bool(inflated), compressed), keyword, vr)


@cache
def _tags() -> list[Any]:
    from pydicom.tag import Tag

    return [*map(Tag, ELEMENTS), *map(Tag, OVERLAYS)]


def _inflated(path: Path, file: BinaryIO) -> BytesIO | None:
    """Return the content of a deflated file as if it had never been deflated; None for all others."""
    head = file.read(144)
    length = int.from_bytes(head[140:], "little") if head[132:140] == META else 0
    meta = file.read(length) if 0 < length <= LARGE else b""
    if DEFLATED not in meta:
        file.seek(0)
        return None
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    content = inflater.decompress(file.read(), INFLATED)
    if inflater.unconsumed_tail:
        raise UnreadableImage(path, f"is deflated, and holds more than {INFLATED >> 20} MiB")
    return BytesIO(head + meta.replace(DEFLATED, EXPLICIT, 1) + content)


def _pixel_element(stream: BinaryIO, little: bool) -> tuple[str, str, bool]:
    """Step over the header of the pixels' element, and tell its name, representation and whether its end is marked."""
    order = "little" if little else "big"
    head = stream.read(8)
    tag = int.from_bytes(head[:2], order) << 16 | int.from_bytes(head[2:4], order)  # type: ignore[arg-type]
    explicit = head[4:6].isalpha() and head[4:6].isupper()  # a length never looks so, as it is even
    length = stream.read(4) if explicit else head[4:]
    vr = head[4:6].decode("ascii") if explicit else ""
    return PIXELS.get(tag, ""), vr, int.from_bytes(length, "little") == UNDEFINED


def _syntax(path: Path, data: "Dataset", inflated: bool, compressed: bool) -> "UID":
    from pydicom import uid

    if inflated:
        return uid.DeflatedExplicitVRLittleEndian
    if (named := text(data.file_meta, "TransferSyntaxUID")) and _is_uid(named):
        return uid.UID(named)
    if compressed:
        raise UnreadableImage(path, "does not say how its pixels are compressed (its transfer syntax)")
    implicit, little = data.original_encoding
    if implicit:
        return uid.ImplicitVRLittleEndian
    return uid.ExplicitVRLittleEndian if little else uid.ExplicitVRBigEndian


def _is_uid(value: str) -> bool:
    """Return whether a value may be shown: a damaged one may reach into what stands beside it, such as a name."""
    return set(value) <= set("0123456789.")


def said(data: Any, keyword: str) -> Any:
    """Return the value of an element; None where it is missing, empty, or none that it may have."""
    try:
        value = data.get(keyword)
    except Exception:  # pydicom converts when asked
        return None
    return None if value is None or value == "" else value


def text(data: Any, keyword: str) -> str:
    """Return an element as text, empty where nothing is said."""
    return str(said(data, keyword) or "").strip(" \0")


def numbers(data: Any, keyword: str) -> list[float]:
    """Return the numbers of an element, none where nothing is said or something else."""
    value = said(data, keyword)
    if value is None:
        return []
    try:
        return [float(one) for one in ([value] if isinstance(value, str | int | float) else value)]
    except (TypeError, ValueError):
        return []


def macro(data: Any, frame: int, sequence: str) -> Any:
    """Return where an enhanced object describes a frame (from 1); the object itself where it has no such item."""
    frames, shared = said(data, "PerFrameFunctionalGroupsSequence"), said(data, "SharedFunctionalGroupsSequence")
    for group in (*(frames or ())[frame - 1 : frame], *(shared or ())[:1]):
        if items := said(group, sequence):
            return items[0]
    return data
