"""The pixels of one frame of a DICOM file as they are stored; no more than that frame is held in memory."""

import struct
from io import SEEK_END
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from medad.data.readers.dicom_file import DicomFile, said, text
from medad.data.readers.pillow import MAX_PIXELS, TOO_LARGE

if TYPE_CHECKING:
    from pydicom.pixels.decoders.base import Decoder

CODED_SIZES = (b"\xff\xc4", b"\xff\xc8", b"\xff\xcc")  # markers in the row of JPEG's frame headers that are none
J2K = b"\xff\x4f\xff\x51"  # start of codestream and size
GPL = "pylibjpeg-libjpeg"  # is offered by pydicom and not by us
NOTHING = "'NoneType' object has no attribute 'encode'"  # what pydicom says where gdcm gives nothing back
INSTEAD_OF_GDCM = {  # which ends the whole process on some damaged data
    "JPEG-LS": "pyjpegls",
    "JPEG Baseline": "pillow",
    "JPEG 2000": "pylibjpeg",
    "RLE": "pylibjpeg",
}
END = b"\xff\xd9"  # of JPEG-LS data; where it is missing, the decoder reads on for seconds
GREY = ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR")
EXTRA = "pip install medad[dicom]"


def stored_values(file: DicomFile, frame: int) -> tuple[np.ndarray, str]:
    """Decode a frame.

    Parameters
    ----------
    file : DicomFile
        With pixels.
    frame : int
        From 1.

    Returns
    -------
    values : ndarray
        (H, W) or (H, W, 3), before any lookup table; colours as RGB.
    photometric : str
        What they are now.

    Raises
    ------
    UnreadableImage
        If the header claims too much, or nothing decodes the transfer syntax.
    """
    decoder = _decoder(file)
    _check_size(file)
    options = _options(file, frame)
    try:
        values, properties = decoder.as_array(**options, decoding_plugin=_plugin(file, decoder))
    except RuntimeError as error:
        raise file.refuse(_why_not(file, decoder, error)) from error
    photometric = str(properties["photometric_interpretation"])
    if photometric not in (("RGB",) if values.ndim == 3 else GREY):
        samples = said(file.data, "SamplesPerPixel")
        raise file.refuse(f"its pixels are {photometric} of {samples} samples: export them as grey or RGB")
    return _low_bits(file, values).astype(values.dtype.newbyteorder("="), copy=False), photometric


def remaining(stream: BinaryIO) -> int:
    """Return how many bytes follow in a file."""
    here = stream.tell()
    end = stream.seek(0, SEEK_END)
    stream.seek(here)
    return end - here


def frame_bytes(file: DicomFile) -> float:
    """Return how many bytes a frame takes that is not compressed."""
    pixels = (said(file.data, "Rows") or 0) * (said(file.data, "Columns") or 0)
    bits = (said(file.data, "SamplesPerPixel") or 1) * (said(file.data, "BitsAllocated") or 0)
    share = 2 / 3 if text(file.data, "PhotometricInterpretation") == "YBR_FULL_422" else 1
    return pixels * bits * share / 8


def is_decodable(file: DicomFile) -> bool:
    """Return whether pydicom knows a way to decode the transfer syntax, be it there or not."""
    from pydicom.pixels import get_decoder

    try:
        return bool(get_decoder(file.syntax))
    except NotImplementedError:
        return False


def _decoder(file: DicomFile) -> "Decoder":
    from pydicom.pixels import get_decoder

    if not is_decodable(file):
        how = f"is compressed as {file.syntax.name}, which nothing that medad uses can decode"
        raise file.refuse(f"{how}: export it uncompressed")
    decoder = get_decoder(file.syntax)
    if not decoder.is_available:
        raise file.refuse(f"is compressed as {file.syntax.name}: {EXTRA}")
    return decoder


def _plugin(file: DicomFile, decoder: "Decoder") -> str:
    """Return what is to decode, "" for whatever can."""
    known = (plugin for name, plugin in INSTEAD_OF_GDCM.items() if name in file.syntax.name)
    return next((plugin for plugin in known if plugin in decoder.available_plugins), "")


def _check_size(file: DicomFile) -> None:
    pixels = (said(file.data, "Rows") or 0) * (said(file.data, "Columns") or 0)
    if pixels > MAX_PIXELS or frame_bytes(file) > 3 * MAX_PIXELS:
        raise file.refuse(TOO_LARGE)
    if not file.syntax.is_encapsulated and remaining(file.stream) < int(frame_bytes(file)):
        claimed = f"{remaining(file.stream)} bytes of pixels where its header claims {int(frame_bytes(file))}"
        raise file.refuse(f"holds {claimed}: it is cut off or damaged")


def _options(file: DicomFile, frame: int) -> dict[str, Any]:
    """Return what a decoder is to be given: of compressed frames no other one than that which is asked for."""
    from pydicom.encaps import encapsulate, get_frame
    from pydicom.pixels.utils import as_pixel_options

    options = as_pixel_options(file.data, pixel_keyword=file.keyword, transfer_syntax_uid=file.syntax)
    options |= {"pixel_vr": file.vr} if file.vr else {}
    if _shift(file):
        options["correct_unused_bits"] = False
    if options.get("samples_per_pixel", 1) > 1:
        options.setdefault("planar_configuration", 0)
    if not file.syntax.is_encapsulated:
        return options | {"src": file.stream, "index": frame - 1}
    offsets = options.pop("extended_offsets", None)
    coded = get_frame(file.stream, frame - 1, number_of_frames=options["number_of_frames"], extended_offsets=offsets)
    _check_coded_size(file, coded)
    return options | {"src": encapsulate([coded], has_bot=False), "index": 0, "number_of_frames": 1}


def _check_coded_size(file: DicomFile, coded: bytes) -> None:
    """Refuse pixels that are cut off, or would decode to another size than the header says, which may be any."""
    if "JPEG-LS" in file.syntax.name and END not in coded[-16:]:
        raise file.refuse("its compressed pixels are cut off")
    size, claimed = _coded_size(coded), (said(file.data, "Columns"), said(file.data, "Rows"))
    if size is not None and all(size) and size != claimed:
        found = f"its compressed pixels are {size[0]} x {size[1]}"
        raise file.refuse(f"{found} where its header says {claimed[0]} x {claimed[1]}: it is damaged")


def _coded_size(coded: bytes) -> tuple[int, int] | None:
    """Return width and height that JPEG, JPEG-LS or JPEG 2000 data claim for themselves; None for others."""
    if (at := coded.find(J2K, 0, 1024)) >= 0 and len(coded) >= at + 24:
        right, bottom, left, top = struct.unpack_from(">4I", coded, at + 8)
        return right - left, bottom - top
    at = 2 if coded[:2] == b"\xff\xd8" else len(coded)
    while at + 9 <= len(coded) and coded[at] == 0xFF:
        marker, (length,) = coded[at : at + 2], struct.unpack_from(">H", coded, at + 2)
        if (0xC0 <= marker[1] <= 0xCF and marker not in CODED_SIZES) or marker[1] == 0xF7:
            height, width = struct.unpack_from(">HH", coded, at + 5)
            return width, height
        at += 1 if marker == b"\xff\xff" else 2 + length
    return None


def _shift(file: DicomFile) -> int:
    """Return how many low bits hold no value: those of an overlay, in old files."""
    stored, high = said(file.data, "BitsStored"), said(file.data, "HighBit")
    as_they_are = not file.syntax.is_encapsulated or file.syntax.name.startswith("RLE")
    if file.keyword != "PixelData" or not as_they_are or not isinstance(stored, int) or not isinstance(high, int):
        return 0
    return max(high + 1 - stored, 0) if high < (said(file.data, "BitsAllocated") or 0) else 0


def _low_bits(file: DicomFile, values: np.ndarray) -> np.ndarray:
    if not (shift := _shift(file)):
        return values
    above = file.data.BitsAllocated - file.data.HighBit - 1
    return values << above >> above + shift


def _why_not(file: DicomFile, decoder: "Decoder", error: Exception) -> str:
    """Say which plug-in failed why, and whether one more would help."""
    _, _, why = str(error).partition("plugins:")
    reasons = "; ".join(
        line.strip() for line in (why or str(error)).replace(NOTHING, "gave no pixels").splitlines() if line.strip()
    )
    lacking = [name for name in decoder.missing_dependencies if GPL not in name]
    hint = f", or {EXTRA}" if lacking else ""
    return f"is compressed as {file.syntax.name} and cannot be decoded ({reasons}){hint}"
