"""The pixels of one frame of a DICOM file as they are stored; no more than that frame is held in memory."""

from io import SEEK_END
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from medad.data.readers.dicom_coded import check_coded, without_boxes
from medad.data.readers.dicom_file import DicomFile, said, text
from medad.data.readers.pillow import MAX_PIXELS, TOO_LARGE

if TYPE_CHECKING:
    from pydicom.pixels.decoders.base import Decoder

GPL = "pylibjpeg-libjpeg"  # is offered by pydicom and not by us
NOTHING = "'NoneType' object has no attribute 'encode'"  # what pydicom says where gdcm gives nothing back
PANIC = "PanicException"  # of Rust code on damaged data (pylibjpeg-rle): derives from BaseException alone
GREY = ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR")
SOUND = {  # on damaged data gdcm may end the process, and pyjpegls takes seconds: they come last or not at all
    "JPEG Baseline": ("pillow", "pylibjpeg"),
    "JPEG Extended": ("pillow", "pylibjpeg"),
    "JPEG-LS": ("gdcm",),
    "JPEG 2000": ("pylibjpeg", "pillow"),
    "RLE": ("pylibjpeg", "pydicom"),
}
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
    values, properties = _by_first_able(file, decoder, options)
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
    check_coded(file, coded)
    return options | {"src": encapsulate([without_boxes(coded)], has_bot=False), "index": 0, "number_of_frames": 1}


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


def plug_ins(decoder: "Decoder") -> tuple[str, ...]:
    """Return which plug-ins are tried, in this order; an empty name where none is needed."""
    there = () if decoder.is_native else decoder.available_plugins
    sound = next((names for part, names in SOUND.items() if part in decoder.UID.name), there)
    return tuple(name for name in sound if name in there) or there or ("",)


def _by_first_able(file: DicomFile, decoder: "Decoder", options: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """Decode by the first plug-in that can; say of each why not, and whether one more would help."""
    why = []
    for name in plug_ins(decoder):
        try:
            return decoder.as_array(decoding_plugin=name, **options)
        except RuntimeError as error:  # of a plug-in
            why.append(" ".join(str(error).partition("plugins:")[2].split()).replace(NOTHING, "gave no pixels"))
        except BaseException as error:
            if type(error).__name__ != PANIC:
                raise
            why.append(f"{name}: {error}")
    lacking = [name for name in decoder.missing_dependencies if GPL not in name]
    hint = f", or {EXTRA}" if lacking else ""
    raise file.refuse(f"is compressed as {file.syntax.name} and cannot be decoded ({'; '.join(why)}){hint}")
