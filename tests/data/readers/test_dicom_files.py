"""Every file that ships with pydicom: read as pydicom reads it, or refused with the true reason."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.pixels import apply_color_lut, apply_modality_lut, pixel_array
from pydicom.uid import ImplicitVRLittleEndian, JPEGBaseline8Bit

from medad.data.readers import UnreadableImage, count_frames, decode

ROOT = Path(pydicom.__file__).parent / "data"  # what the package holds; its functions would download more
NONE_OF_DICOM = (".py", ".pyc", ".json", ".txt", ".dump", ".icc", ".gz", ".md")
FILES = [file for file in sorted(ROOT.rglob("*")) if file.is_file() and file.suffix not in NONE_OF_DICOM]

NO_PIXELS = "is a DICOM file without pixels"
TWELVE_BITS = r"is compressed as JPEG Extended \(Process 2 and 4\) and cannot be decoded .*12-bit precision"
LACKING = r"Missing required element: \(0028,0100\)"
DAMAGED = {
    "chrJapMulti.dcm": NO_PIXELS,
    "chrJapMultiExplicitIR6.dcm": NO_PIXELS,
    "chrKoreanMulti.dcm": NO_PIXELS,
    "chrSQEncoding.dcm": NO_PIXELS,
    "chrSQEncoding1.dcm": NO_PIXELS,
    "JPEG-lossy.dcm": TWELVE_BITS,  # only pylibjpeg-libjpeg can, which is under the GPL
    "JPGExtended.dcm": TWELVE_BITS,
    "JPEG2000-embedded-sequence-delimiter.dcm": "its compressed pixels are .* where its header says 256 x 1024",
    "MR_truncated.dcm": "holds 8130 bytes of pixels where its header claims 8192",
    "UN_sequence.dcm": NO_PIXELS,
    "badVR.dcm": "its number of frames is no number",
    "empty_charset_LEI.dcm": NO_PIXELS,
    "meta_missing_tsyntax.dcm": LACKING,
    "nested_priv_SQ.dcm": LACKING,
    "no_meta.dcm": "not an image of a known format",  # a blank stands before its first element
    "no_meta_group_length.dcm": NO_PIXELS,
    "priv_SQ.dcm": NO_PIXELS,
    "TINY_ALPHA": NO_PIXELS,  # a file set of CT images, all without pixels
}
WITHOUT_IMAGE = {
    "Color Palette": "fall hotiron hotmetalblue pet pet20step spring summer winter",
    "RT Ion Plan": "ExplVR_BigEndNoMeta ExplVR_LitEndNoMeta",
    "RT Plan": "rtplan rtplan_truncated",
    "RT Structure Set": "rtstruct",
    "Basic Text SR": "reportsi reportsi_with_empty_number_tags",
    "Comprehensive SR": "test-SR",
    "12-lead ECG Waveform": "waveform_ecg",
    "Media Storage Directory": "DICOMDIR DICOMDIR-bigEnd DICOMDIR-empty DICOMDIR-implicit DICOMDIR-nooffset "
    "DICOMDIR-nopatient DICOMDIR-reordered",
}
ASIDE = {name: rf"holds no image \({kind}\)" for kind, names in WITHOUT_IMAGE.items() for name in names.split()}
TEXT = {"README": "not an image of a known format"}
REFUSED = DAMAGED | ASIDE | TEXT


def name_of(file: Path) -> str:
    if file.name.startswith("IM0"):
        return "TINY_ALPHA"
    return file.name if file.name in DAMAGED else file.stem


def of_pydicom(file: Path, frame: int) -> np.ndarray:
    """Return a frame as pydicom's own functions give it."""
    ds = pydicom.dcmread(file, force=True)
    if "TransferSyntaxUID" not in ds.file_meta:
        ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    jpeg = ds.file_meta.TransferSyntaxUID == JPEGBaseline8Bit  # which decoders round differently
    values = pixel_array(ds, index=frame - 1, decoding_plugin="pillow" if jpeg else "")
    return (
        apply_color_lut(values, ds)
        if ds.PhotometricInterpretation == "PALETTE COLOR"
        else apply_modality_lut(values, ds)
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("file", [file for file in FILES if name_of(file) not in REFUSED], ids=lambda file: file.name)
def test_values_are_those_of_pydicom(file: Path) -> None:
    count = count_frames(file)
    for frame in {1, count}:
        np.testing.assert_array_equal(decode(file, frame).pixels, of_pydicom(file, frame))
    for single in [None] if count == 1 else []:
        np.testing.assert_array_equal(decode(file, single).pixels, of_pydicom(file, 1))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("file", [file for file in FILES if name_of(file) in REFUSED], ids=lambda file: file.name)
def test_what_is_refused_is_refused_for_its_true_reason(file: Path) -> None:
    with pytest.raises(UnreadableImage, match=REFUSED[name_of(file)]):
        decode(file)
    assert count_frames(file) == (0 if name_of(file) in ASIDE | TEXT else 1)


def test_the_package_holds_its_files() -> None:
    assert len(FILES) > 150 and {name_of(file) for file in FILES} >= set(REFUSED)


def test_damaged_boxes_before_jpeg_2000_pixels_are_not_looked_at(tmp_path: Path) -> None:
    whole = next(file for file in FILES if file.name == "GDCMJ2K_TextGBR.dcm")
    content = whole.read_bytes()
    colours, end = content.index(b"colr"), content.index(b"jp2c")
    damaged = tmp_path / "scan"
    damaged.write_bytes(content[: colours + 10] + bytes(end - colours - 14) + content[end - 4 :])
    np.testing.assert_array_equal(decode(damaged).pixels, decode(whole).pixels)
