"""DICOM by pydicom: what a file is, which images it holds, and what it says of them."""

import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from medad.data.readers.contract import Decoded, Header, the_frame
from medad.data.readers.dicom_file import OVERLAYS, DicomFile, macro, numbers, opened, said, text
from medad.data.readers.dicom_pixels import frame_bytes, is_decodable, remaining, stored_values
from medad.data.readers.dicom_values import is_inverted, meant

VR = rb"(AE|AS|CS|DA|DS|DT|IS|LO|LT|PN|SH|ST|TM|UI|UL|US)"  # those of short values
EXPLICIT, BIG = re.compile(rb"(?s)[\x02\x08]\0.\0" + VR), re.compile(rb"(?s)\0\x08\0." + VR)
IMPLICIT = re.compile(rb"(?s)\x08\0[\0\x01\x05\x06\x08\x12\x16\x18]\0..\0\0")  # elements that stand first
MOST_FRAMES = 1_000_000  # tiles of the largest slides
LAST = 0x0020FFFF  # the group of studies and series
Order = Literal["big", "little"]
SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "PixelAspectRatio")


class DicomReader:
    """Reads the images of DICOM objects; other objects (reports, plans, directories) hold none."""

    name = "dicom"
    version = f"1 with pydicom {metadata.version('pydicom')}"
    formats: tuple[str, ...] = ("DICOM",)
    stills: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = (".dcm", ".dicom")

    def knows(self, head: bytes) -> bool:
        """Return whether the file has DICOM's mark, or begins with two elements of DICOM as some files without it."""
        return head[128:132] == b"DICM" or _begins_with_elements(head)

    def frames(self, path: Path) -> int:
        """Return the number of frames; 0 for objects that are not meant to hold an image."""
        with opened(path) as file:
            return _frames(file)

    def header(self, path: Path, frame: int | None) -> Header:
        """Return what the file says of a frame."""
        with opened(path) as file:
            return _header(file, frame or 1)

    def read(self, path: Path, frame: int | None) -> Decoded:
        """Decode a frame; see `medad.data.readers.decode`."""
        with opened(path) as file:
            number = the_frame(path, frame, _checked(file))
            values, photometric = stored_values(file, number)
            facts = meant(file, number, values, photometric)
            return Decoded(
                format="DICOM",
                mode=_mode(file),
                header=_header(file, number),
                inverted=is_inverted(file.data),
                remarks=(*facts.pop("remarks"), *_remarks(file)),
                **facts,
            )


def _begins_with_elements(head: bytes) -> bool:
    """Look for a first element of group 0002 or 0008 that is followed by another one of that or a later group."""
    big, explicit = BIG.match(head), EXPLICIT.match(head)
    if not (big or explicit or IMPLICIT.match(head)):
        return False
    order: Order = "big" if big else "little"
    after = 8 + int.from_bytes(head[6:8] if big or explicit else head[4:8], order)
    return len(head) >= after + 4 and _tag(head, order) < _tag(head[after:], order) <= LAST


def _tag(head: bytes, order: Order) -> int:
    return int.from_bytes(head[:2], order) << 16 | int.from_bytes(head[2:4], order)


def _frames(file: DicomFile) -> int:
    """Count the frames; what is meant to hold an image and does not, counts as one: decoding says why."""
    if not file.keyword:
        image = "Rows" in file.data or "Image" in file.kind or not file.kind
        return int(image)
    return _claimed(file) if is_decodable(file) else 1  # one reason for a film, not one for each of its frames


def _claimed(file: DicomFile) -> int:
    said_so = said(file.data, "NumberOfFrames") or 1
    try:
        count = int(said_so)
    except (TypeError, ValueError):
        raise file.refuse("its number of frames is no number") from None
    least = 8 if file.syntax.is_encapsulated else frame_bytes(file)
    if count > 1 and (not least or count > MOST_FRAMES or count * least > remaining(file.stream)):
        raise file.refuse(f"its header claims {count} frames, more than the file holds: it is cut off or damaged")
    return max(count, 1)


def _checked(file: DicomFile) -> int:
    if not file.keyword and not _frames(file):
        raise file.refuse(f"is a DICOM object that holds no image ({file.kind})")
    if not file.keyword:
        raise file.refuse("is a DICOM file without pixels: it is cut off, or its pixels were left out")
    return _frames(file)


def _mode(file: DicomFile) -> str:
    bits = said(file.data, "BitsStored") or said(file.data, "BitsAllocated")
    sign = "signed " if said(file.data, "PixelRepresentation") == 1 else ""
    return f"{text(file.data, 'PhotometricInterpretation')} {sign}{bits}"


def _header(file: DicomFile, frame: int) -> Header:
    data, anatomy = file.data, macro(file.data, frame, "FrameAnatomySequence")
    patient, issuer = text(data, "PatientID"), text(data, "IssuerOfPatientID")
    sides = (text(data, "ImageLaterality"), text(anatomy, "FrameLaterality"), text(data, "Laterality"))
    bits = said(data, "BitsStored")
    return Header(
        patient=f"{patient} ({issuer})" if patient and issuer else patient or text(data, "PatientName"),
        study=text(data, "StudyInstanceUID"),
        series=text(data, "SeriesInstanceUID"),
        view=text(data, "ViewPosition") or _first_meaning(data, "ViewCodeSequence"),
        laterality=next(filter(None, sides), ""),
        manufacturer=text(data, "Manufacturer"),
        sex=text(data, "PatientSex"),
        age=text(data, "PatientAge"),
        photometric=text(data, "PhotometricInterpretation"),
        syntax=file.syntax.name,
        bits=bits if isinstance(bits, int) else None,
        spacing=_spacing(data, frame),
    )


def _first_meaning(data: Any, sequence: str) -> str:
    return text((said(data, sequence) or [{}])[0], "CodeMeaning")


def _spacing(data: Any, frame: int) -> tuple[float, float] | None:
    """Return the distances of rows and columns; PixelAspectRatio names the vertical size first, too."""
    measures = macro(data, frame, "PixelMeasuresSequence")
    for sizes in (numbers(measures, "PixelSpacing"), *(numbers(data, keyword) for keyword in SPACINGS)):
        if len(sizes) == 2 and all(0 < size < float("inf") for size in sizes):
            return sizes[0], sizes[1]
    return None


def _remarks(file: DicomFile) -> Iterator[str]:
    if any(tag in file.data for tag in OVERLAYS):
        yield "overlays (lines and text laid over the image) were left out"
    shape, photometric = text(file.data, "PresentationLUTShape"), text(file.data, "PhotometricInterpretation")
    if (shape, photometric) == ("INVERSE", "MONOCHROME2"):
        yield "turned round, as PresentationLUTShape says and PhotometricInterpretation does not"
