"""Values of DICOM files: every case has right values of its own, computed here or by pydicom."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dicom_files import SR, dataset, item, lut, write
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import apply_color_lut, apply_voi_lut
from pydicom.uid import (
    MPEG4HP41,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLSLossless,
    RLELossless,
)

from medad.data.finding import find_images
from medad.data.intensity import Intensity
from medad.data.loading import load_images
from medad.data.preprocessing import Preprocessing
from medad.data.readers import Decoded, UnreadableImage, count_frames, decode, read_header
from medad.data.readers import registry as readers
from medad.data.readers.dicom import DicomReader
from medad.data.readers.pillow import TOO_LARGE
from medad.data.shown import read_image

RAMP = np.arange(4096, dtype=np.uint16).reshape(64, 64)  # 12 bits
NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def read(pixels: np.ndarray, bits: int | None = None, frame: int | None = None, **elements: Any) -> Decoded:
        return decode(write(tmp_path / "scan", dataset(pixels, bits, **elements)), frame)

    return read


def reason(path: Path, frame: int | None = None) -> str:
    with pytest.raises(UnreadableImage) as caught:
        decode(path, frame)
    assert "\n" not in caught.value.reason
    return caught.value.reason


# --- which files are DICOM, and how they are stored


@pytest.mark.parametrize("syntax", NATIVE, ids=lambda syntax: syntax.name)
@pytest.mark.parametrize("signed", [False, True])
def test_native_syntaxes(tmp_path: Path, syntax: UID, signed: bool) -> None:
    values = RAMP.astype(np.int16) - 2048 if signed else RAMP
    image = decode(write(tmp_path / "scan", dataset(values, 12), syntax))
    np.testing.assert_array_equal(image.pixels, values)
    assert image.pixels.dtype == values.dtype and image.header.syntax == syntax.name
    assert (image.header.bits, image.white) == (12, None if signed else 4095)


@pytest.mark.parametrize("syntax", NATIVE[:3], ids=lambda syntax: syntax.name)
@pytest.mark.parametrize("first", [{}, {"SpecificCharacterSet": "ISO_IR 100"}])
def test_files_without_preamble(tmp_path: Path, syntax: UID, first: dict[str, str]) -> None:
    path = write(tmp_path / "scan", dataset(RAMP, 12, **first), syntax, preamble=False)
    np.testing.assert_array_equal(decode(path).pixels, RAMP)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\x08\0",
        b"\x08\0\x05\0CS",
        b"path,split\n" * 50,
        b"II*\0" + bytes(508),
        b"MM\0*" + bytes(508),
        bytes(512),
        b"\x08\0\0\0" * 128,  # an array of numbers
        b"\x02\0\0\0UL\x04\0" + bytes(504),  # no element follows the first
        b"\x08\0\x05\0\xff\xff\0\0" + bytes(504),
    ],
)
def test_other_files_are_not_taken_for_dicom(head: bytes) -> None:
    assert not DicomReader().knows(head)


def test_a_preamble_that_is_a_tiff_header(tmp_path: Path) -> None:
    path = write(tmp_path / "scan.tif", dataset(RAMP, 12))
    path.write_bytes(b"II*\0" + path.read_bytes()[4:])
    np.testing.assert_array_equal(decode(path).pixels, RAMP)
    assert isinstance(readers.READERS[0], DicomReader)


def compressed(pixels: np.ndarray, syntax: UID, bits: int | None = None, **elements: Any) -> Dataset:
    ds = dataset(pixels, bits, **elements)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.compress(syntax, generate_instance_uid=False)
    return ds


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless], ids=lambda syntax: syntax.name)
def test_lossless_syntaxes(tmp_path: Path, syntax: UID) -> None:
    frames = np.stack([RAMP, RAMP.T, RAMP[::-1]])
    path = write(tmp_path / "scan", compressed(frames, syntax, 12, NumberOfFrames=3), syntax)
    assert count_frames(path) == 3
    for number, values in enumerate(frames, 1):
        np.testing.assert_array_equal(decode(path, number).pixels, values)
    assert decode(path, 1).header.syntax == syntax.name
    assert reason(path).startswith("has 3 frames") and "no such frame, the file has 3" in reason(path, 4)


@pytest.mark.parametrize("count", [2, 9])
def test_frames(tmp_path: Path, count: int) -> None:
    frames = np.random.default_rng(0).integers(0, 255, (count, 5, 3), np.uint8)  # 15 bytes each
    for syntax in NATIVE[:2]:
        path = write(tmp_path / "scan", dataset(frames, NumberOfFrames=count), syntax)
        assert count_frames(path) == count
        np.testing.assert_array_equal(decode(path, count).pixels, frames[-1])


@pytest.mark.parametrize("stored", range(8, 17))
def test_bits_above_the_high_bit_are_no_value(read: Any, stored: int) -> None:
    """An old overlay lies there; 8 to 16 bits, with and without a sign."""
    values = np.arange(-(2 ** (stored - 1)), 2 ** (stored - 1), 2 ** (stored - 8)).astype(np.int16)[None]
    overlaid = values ^ (-1 << stored if stored < 16 else 0)
    np.testing.assert_array_equal(read(overlaid.astype(np.int16), stored).pixels, values)
    unsigned = values.astype(np.int64) % 2**stored
    image = read(overlaid.astype(np.uint16), stored)
    np.testing.assert_array_equal(image.pixels, unsigned)
    assert image.white == 2**stored - 1


@pytest.mark.parametrize("kind", [np.uint16, np.int16])
def test_bits_below_the_lowest_one_are_no_value(read: Any, kind: type) -> None:
    values = RAMP.astype(kind) - (2048 if kind == np.int16 else 0)
    np.testing.assert_array_equal(read((values << 4) + 5, 12, HighBit=15).pixels, values)


def test_one_bit(read: Any) -> None:
    drawn = np.random.default_rng(0).integers(0, 2, (2, 5, 5), np.uint8)
    packed = np.packbits(drawn.ravel(), bitorder="little").tobytes() + b"\0"
    for number in (1, 2):
        image = read(drawn, 1, number, NumberOfFrames=2, BitsAllocated=1, BitsStored=1, HighBit=0, PixelData=packed)
        np.testing.assert_array_equal(image.pixels, drawn[number - 1])
        assert image.white == 1 and Intensity("dtype")(image)[0].max() == 255


def test_32_bits_have_no_white(read: Any) -> None:
    values = np.array([[0, 2**32 - 1]], np.uint32)
    image = read(values)
    np.testing.assert_array_equal(image.pixels, values)
    assert image.white is None


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_floating_point_pixels(read: Any, kind: type) -> None:
    values = np.array([[0.25, -3e5], [np.nan, np.inf]], kind)
    image = read(values)
    np.testing.assert_array_equal(image.pixels[0], values[0])
    np.testing.assert_array_equal(image.padding, [[False, False], [True, True]])
    assert image.white is None and "no number" in image.remarks[0] and np.isfinite(image.pixels).all()
    assert read(values[:1]).padding is None and read(values[:1]).remarks == ()
    name = "FloatPixelPaddingValue" if kind == np.float32 else "DoubleFloatPixelPaddingValue"
    assert read(values[:1], **{name: 0.25}).padding.tolist() == [[True, False]]


# --- what values mean


def test_rescale(read: Any) -> None:
    image = read(RAMP, 12, RescaleSlope="0.5", RescaleIntercept="-1024")
    np.testing.assert_array_equal(image.pixels, RAMP * 0.5 - 1024)
    assert image.white is None
    same = read(RAMP, 12, RescaleSlope="1", RescaleIntercept="0")
    assert same.pixels.dtype == np.uint16 and same.white == 4095


def test_damaged_rescale_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "scan", dataset(RAMP, 12, RescaleSlope="0", RescaleIntercept="0"))
    assert "rescale slope is 0" in reason(path)


@pytest.mark.parametrize("vr", ["US", "OW"])
@pytest.mark.parametrize("syntax", NATIVE[:2])
def test_modality_lut(tmp_path: Path, vr: str, syntax: UID) -> None:
    table = lut([100, 90, 300], -1, 16, vr)
    values = np.array([[-5, -1, 0, 1, 2, 99]], np.int16)
    image = decode(write(tmp_path / "scan", dataset(values, ModalityLUTSequence=[table]), syntax))
    np.testing.assert_array_equal(image.pixels, [[100, 100, 90, 300, 300, 300]])
    assert image.white is None


WINDOWS = {  # PS3.3 C.11.2.1.2 and C.11.2.1.3, by their formulas
    "LINEAR": lambda x, c, w: np.clip((x - (c - 0.5)) / (w - 1) + 0.5, 0, 1),
    "LINEAR_EXACT": lambda x, c, w: np.clip((x - c) / w + 0.5, 0, 1),
    "SIGMOID": lambda x, c, w: 1 / (1 + np.exp(-4 * (x - c) / w)),
}


@pytest.mark.parametrize("function", ["", *WINDOWS])
def test_windows(read: Any, function: str) -> None:
    named = {"VOILUTFunction": function} if function else {}
    image = read(RAMP, 12, RescaleSlope="2", RescaleIntercept="-1000", WindowCenter="40", WindowWidth="400", **named)
    values = RAMP * 2.0 - 1000
    shown = image.display(image.pixels)
    np.testing.assert_allclose(shown, WINDOWS[function or "LINEAR"](values, 40, 400), atol=1e-12)
    theirs = dataset(
        RAMP, 12, WindowCenter="40", WindowWidth="400", RescaleSlope="2", RescaleIntercept="-1000", **named
    )
    of_pydicom = apply_voi_lut(values, theirs)
    np.testing.assert_allclose(shown, (of_pydicom + 1000) / 8190, atol=1e-12)  # from -1000 to 7190
    grey, applied = Intensity("dicom")(image)
    np.testing.assert_array_equal(grey, np.rint(shown * 65535))
    assert applied == "by the window of the file"


def test_narrow_windows(read: Any) -> None:
    step = read(RAMP, 12, WindowCenter="160", WindowWidth="1")
    np.testing.assert_array_equal(step.display(np.array([158.0, 159.5, 159.6, 161])), [0, 0, 1, 1])
    values = np.array([[0.1, 0.2, 0.3]], np.float32)
    narrow = read(values, WindowCenter="0.2", WindowWidth="0.2")
    np.testing.assert_allclose(narrow.display(values), [[0, 0.5, 1]], atol=1e-6)


def test_the_first_of_several_windows_counts(read: Any) -> None:
    image = read(RAMP, 12, WindowCenter=["40", "2000"], WindowWidth=["400", "50"])
    np.testing.assert_allclose(image.display(RAMP), WINDOWS["LINEAR"](RAMP.astype(float), 40, 400))
    assert image.remarks == ("of several windows in the file the first one counts",)


@pytest.mark.parametrize("odd", [{"WindowWidth": "0"}, {"WindowWidth": "-5"}, {"VOILUTFunction": "OTHER"}])
def test_windows_that_are_none_are_left_out_and_told(read: Any, odd: dict[str, str]) -> None:
    image = read(RAMP, 12, **({"WindowCenter": "40", "WindowWidth": "400"} | odd))
    assert image.display is None and "no valid one" in image.remarks[0]
    assert Intensity("dicom")(image)[1] == "from 0 to 4095"


def test_voi_lut_goes_before_the_window(read: Any) -> None:
    table = lut([0, 200, 50, 255], 1, 8)
    image = read(RAMP, 12, VOILUTSequence=[table], WindowCenter="40", WindowWidth="400")
    np.testing.assert_allclose(image.display(np.array([0, 1, 2, 3, 4, 9])) * 255, [0, 0, 200, 50, 255, 255])


@pytest.mark.parametrize("shape", [None, "IDENTITY", "INVERSE"])
def test_polarity(read: Any, shape: str | None) -> None:
    values = np.array([[0, 1000, 4095]], np.uint16)
    named = {"PresentationLUTShape": shape} if shape else {}
    first = read(values, 12, PhotometricInterpretation="MONOCHROME1", **named)
    np.testing.assert_array_equal(first.pixels, values)
    assert first.inverted and Intensity("dicom")(first)[0].tolist() == [[65535, 65535 - 16004, 0]]
    second = read(values, 12, **named)
    assert second.inverted == (shape == "INVERSE") == bool(second.remarks)


def test_monochrome1_is_turned_round_after_its_window(read: Any) -> None:
    image = read(RAMP, 12, PhotometricInterpretation="MONOCHROME1", WindowCenter="1000.5", WindowWidth="1001")
    grey = Intensity("dicom")(image)[0]
    assert (grey[RAMP <= 500] == 65535).all() and not grey[RAMP >= 1500].any()


def test_padding_counts_for_no_range_and_becomes_black(read: Any) -> None:
    values = np.array([[-2000, -1000, 0, 1000]], np.int16)
    image = read(values, PixelPaddingValue=-2000)
    np.testing.assert_array_equal(image.padding, [[True, False, False, False]])
    assert Intensity("file")(image)[0].tolist() == [[0, 0, 32768, 65535]]
    ranged = read(values, PixelPaddingValue=-2000, PixelPaddingRangeLimit=-900, RescaleSlope="2", RescaleIntercept="5")
    np.testing.assert_array_equal(ranged.padding, [[True, True, False, False]])
    assert read(values, PixelPaddingValue=7).padding is None


def test_padding_that_was_written_without_its_sign(tmp_path: Path) -> None:
    ds = dataset(np.array([[-2000, 0]], np.int16))
    ds.add_new("PixelPaddingValue", "US", 65536 - 2000)
    assert decode(write(tmp_path / "scan", ds)).padding.tolist() == [[True, False]]  # type: ignore[union-attr]


# --- colours

COLOURS = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("planar", [0, 1])
def test_rgb_keeps_its_depth(read: Any, kind: type, planar: int) -> None:
    values = COLOURS.astype(kind) * (257 if kind == np.uint16 else 1)
    stored = (np.moveaxis(values, 2, 0) if planar else values).tobytes()
    image = read(values, PlanarConfiguration=planar, PixelData=stored)
    np.testing.assert_array_equal(image.pixels, values)
    assert image.white == np.iinfo(kind).max and Intensity("dicom")(image)[0].dtype == kind


def test_ybr(read: Any) -> None:
    rgb = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [90, 90, 90]]], np.float64)
    y = rgb @ [0.299, 0.587, 0.114]
    ybr = np.stack([y, 128 + (rgb[..., 2] - y) / 1.772, 128 + (rgb[..., 0] - y) / 1.402], axis=2)
    full = read(np.rint(ybr).clip(0, 255).astype(np.uint8), PhotometricInterpretation="YBR_FULL")
    np.testing.assert_allclose(full.pixels, rgb, atol=2)
    assert full.header.photometric == "YBR_FULL" and full.white == 255
    pairs = np.array([[100, 200, 128, 128]], np.uint8)  # Y1 Y2 B R
    half = read(pairs, Columns=2, SamplesPerPixel=3, PlanarConfiguration=0, PhotometricInterpretation="YBR_FULL_422")
    np.testing.assert_array_equal(half.pixels, [[[100] * 3, [200] * 3]])


@pytest.mark.parametrize("photometric", ["HSV", "CMYK", "YBR_ICT", "YBR_PARTIAL_422", "MONOCHROME2", "PALETTE COLOR"])
def test_other_colours_are_not_taken_for_rgb(tmp_path: Path, photometric: str) -> None:
    path = write(tmp_path / "scan", dataset(COLOURS, PhotometricInterpretation=photometric))
    assert reason(path) == f"its pixels are {photometric} of 3 samples: export them as grey or RGB"
    path = write(tmp_path / "grey", dataset(RAMP, 12, PhotometricInterpretation="RGB"))
    assert reason(path) == "its pixels are RGB of 1 samples: export them as grey or RGB"


def palette(entries: np.ndarray, first: int, bits: int, segmented: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for column, colour in enumerate(("Red", "Green", "Blue")):
        found[f"{colour}PaletteColorLookupTableDescriptor"] = [256 if segmented else len(entries), first, bits]
        start = "Segmented" if segmented else ""
        found[f"{start}{colour}PaletteColorLookupTableData"] = entries[:, column].tobytes()
    return found


@pytest.mark.parametrize(("kind", "white"), [(np.uint8, 255), (np.uint16, 65535)])
def test_palette(read: Any, kind: type, white: int) -> None:
    entries = np.random.default_rng(0).integers(0, white, (300, 3)).astype(kind)  # more than 8 bits count
    indices = np.array([[0, 9, 10, 11, 309, 400]], np.uint16)
    image = read(indices, **palette(entries, 10, 8 * np.dtype(kind).itemsize))
    np.testing.assert_array_equal(image.pixels[0], entries[[0, 0, 0, 1, 299, 299]])
    assert image.white == white and not image.inverted and image.display is None


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_segmented_palette(tmp_path: Path, kind: type) -> None:
    segments = [0, 3, 5, 6, 7, 1, 100, 107, 0, 3, 1, 2, 3, 1, 150, 255]
    entries = np.repeat(np.array(segments, kind)[:, None], 3, axis=1)
    ds = dataset(np.arange(256, dtype=np.uint8).reshape(16, 16), **palette(entries, 0, 8 * entries.itemsize, True))
    path = write(tmp_path / "scan", ds)
    theirs = apply_color_lut(np.arange(256, dtype=np.uint8), dcmread(path))
    np.testing.assert_array_equal(decode(path).pixels.reshape(-1, 3), theirs)


def test_segments_that_point_to_others(read: Any) -> None:
    again = [0, 2, 7, 9, 2, 1, 0, 0, 1, 252, 252]  # then one segment from the beginning, then a line
    entries = np.repeat(np.array(again, np.uint16)[:, None], 3, axis=1)
    image = read(np.arange(256, dtype=np.uint8)[None], **palette(entries, 0, 16, True))
    assert image.pixels[0, :4, 0].tolist() == [7, 9, 7, 9] and image.pixels[0, -1].tolist() == [252] * 3


@pytest.mark.parametrize("segments", [[1, 5, 9], [0, 5, 1], [7, 7, 7], [2, 65535, 0, 0], [0, 1, 1, 2, 9, 60000, 1]])
def test_damaged_palettes_are_refused(tmp_path: Path, segments: list[int]) -> None:
    entries = np.repeat(np.array(segments, np.uint16)[:, None], 3, axis=1)
    ds = dataset(np.zeros((2, 2), np.uint8), **palette(entries, 0, 16, True))
    assert "segmented lookup tables is damaged" in reason(write(tmp_path / "scan", ds))


# --- what the header says


def test_header(tmp_path: Path) -> None:
    view = [item(CodeMeaning="cranio-caudal")]
    facts = {"PatientID": "7", "IssuerOfPatientID": "A", "PatientName": "X^Y", "StudyInstanceUID": "1.2"}
    facts |= {"SeriesInstanceUID": "1.3", "ViewPosition": "PA", "Laterality": "R", "Manufacturer": "ACME"}
    path = write(tmp_path / "scan", dataset(RAMP, 12, **facts))
    header = read_header(path)
    assert (header.patient, header.study, header.series) == ("7 (A)", "1.2", "1.3")
    assert (header.view, header.laterality, header.manufacturer) == ("PA", "R", "ACME")
    assert (header.photometric, header.syntax, header.bits) == ("MONOCHROME2", ExplicitVRLittleEndian.name, 12)
    assert decode(path).header == header and decode(path).mode == "MONOCHROME2 12"
    few = write(tmp_path / "few", dataset(RAMP, 12, PatientName="X^Y", ViewCodeSequence=view, ImageLaterality="L"))
    header = read_header(few)
    assert (header.patient, header.view, header.laterality, header.spacing) == ("X^Y", "cranio-caudal", "L", None)


@pytest.mark.parametrize(
    ("elements", "spacing"),
    [
        ({"PixelSpacing": ["0.5", "0.25"], "ImagerPixelSpacing": ["9", "9"]}, (0.5, 0.25)),
        ({"ImagerPixelSpacing": ["0.2", "0.1"]}, (0.2, 0.1)),
        ({"NominalScannedPixelSpacing": ["2", "3"], "PixelAspectRatio": ["1", "1"]}, (2, 3)),
        ({"PixelAspectRatio": ["6", "5"]}, (6, 5)),  # vertical, then horizontal size
        ({"PixelSpacing": ["0", "1"], "PixelAspectRatio": ["4", "3"]}, (4, 3)),
        ({}, None),
    ],
)
def test_spacing(read: Any, elements: dict[str, Any], spacing: tuple[float, float] | None) -> None:
    assert read(RAMP, 12, **elements).header.spacing == spacing


def test_functional_groups_of_enhanced_objects(tmp_path: Path) -> None:
    shared = item(
        PixelMeasuresSequence=[item(PixelSpacing=["2", "1"])],
        FrameVOILUTSequence=[item(WindowCenter="8", WindowWidth="16")],
        FrameAnatomySequence=[item(FrameLaterality="L")],
    )
    own = item(
        PixelValueTransformationSequence=[item(RescaleSlope="3", RescaleIntercept="1")],
        FrameVOILUTSequence=[item(WindowCenter="100", WindowWidth="50", VOILUTFunction="LINEAR_EXACT")],
    )
    groups = {"SharedFunctionalGroupsSequence": [shared], "PerFrameFunctionalGroupsSequence": [item(), own]}
    path = write(tmp_path / "scan", dataset(np.stack([RAMP, RAMP.T]), 12, NumberOfFrames=2, **groups))
    first, second = decode(path, 1), decode(path, 2)
    assert first.header.spacing == second.header.spacing == (2, 1) and first.header.laterality == "L"
    np.testing.assert_array_equal(first.pixels, RAMP)
    np.testing.assert_array_equal(second.pixels, RAMP.T * 3 + 1)
    values = np.arange(0, 200, 7)
    np.testing.assert_allclose(first.display(values), WINDOWS["LINEAR"](values, 8, 16))  # type: ignore[misc]
    np.testing.assert_allclose(second.display(values), WINDOWS["LINEAR_EXACT"](values, 100, 50))  # type: ignore[misc]


def test_overlays_are_left_out_and_told(tmp_path: Path) -> None:
    ds = dataset(RAMP, 12)
    ds.add_new(0x60020010, "US", 64)
    ds.add_new(0x60023000, "OW", bytes(512))
    image = decode(write(tmp_path / "scan", ds))
    np.testing.assert_array_equal(image.pixels, RAMP)
    assert image.remarks == ("overlays (lines and text laid over the image) were left out",)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_as_the_authors_of_ddad_prepared_theirs(read: Any, photometric: str) -> None:
    """Their script: raw values, MONOCHROME1 by max - value, from the lowest to the highest in 8 bits, truncated."""
    raw = np.random.default_rng(0).integers(100, 3000, (9, 9)).astype(np.uint16)
    window = {"WindowCenter": "40", "WindowWidth": "400", "PixelPaddingValue": int(raw.max())}
    image = read(raw, 12, PhotometricInterpretation=photometric, **window)
    x = raw.astype(float)
    x = x.max() - x if photometric == "MONOCHROME1" else x
    x = x - x.min()
    pixels, _ = Intensity("ddad")(image)
    np.testing.assert_array_equal(pixels, (x / x.max() * 255).astype(np.uint8))
    eight = (raw % 256).astype(np.uint8)
    np.testing.assert_array_equal(Intensity("ddad")(read(eight))[0], eight)


# --- what is refused


@pytest.mark.parametrize("keyword", ["SOPClassUID", "PhotometricInterpretation"])
def test_a_damaged_element_is_not_quoted(tmp_path: Path, keyword: str) -> None:
    ds = dataset(np.zeros((4, 4), np.uint8))
    setattr(ds, keyword, "1.2.3.4.5")
    if keyword == "SOPClassUID":
        del ds.PixelData, ds.Rows
    path = write(tmp_path / "scan", ds)
    path.write_bytes(path.read_bytes().replace(b"1.2.3.4.5", b"DOE^JANE9"))
    assert "DOE" not in reason(path)


def test_objects_without_image_are_set_aside(tmp_path: Path) -> None:
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = SR, "1.2.3"
    path = write(tmp_path / "report", ds)
    assert count_frames(path) == 0
    assert reason(path) == "is a DICOM object that holds no image (Basic Text SR)"


def test_images_without_their_pixels_are_no_reports(tmp_path: Path) -> None:
    ds = dataset(RAMP, 12)
    del ds.PixelData
    path = write(tmp_path / "scan", ds)
    assert count_frames(path) == 1 and "without pixels" in reason(path)


def test_cut_off_files(tmp_path: Path) -> None:
    path = write(tmp_path / "scan", dataset(np.stack([RAMP] * 2), 12, NumberOfFrames=2))
    path.write_bytes(path.read_bytes()[:-100])
    assert "claims 2 frames, more than the file holds" in reason(path, 1)
    path = write(tmp_path / "scan", dataset(RAMP, 12))
    path.write_bytes(path.read_bytes()[:-100])
    assert reason(path) == "holds 8092 bytes of pixels where its header claims 8192: it is cut off or damaged"


@pytest.mark.parametrize("claim", [{"Rows": 60000, "Columns": 60000}, {"NumberOfFrames": 2**31 - 1}])
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, JPEG2000Lossless, RLELossless])
def test_what_a_header_may_claim(tmp_path: Path, claim: dict[str, int], syntax: UID) -> None:
    ds = dataset(RAMP, 12) if not syntax.is_encapsulated else compressed(RAMP, syntax, 12)
    for keyword, value in claim.items():
        setattr(ds, keyword, value)
    path = write(tmp_path / "scan", ds, syntax)
    assert count_frames(path) == 1
    assert (TOO_LARGE if "Rows" in claim else "claims 2147483647 frames") in reason(path, 1)


@pytest.mark.parametrize("frames", [2**31 - 1, 1_000_001, 3])
def test_frames_without_size_are_not_counted(tmp_path: Path, frames: int) -> None:
    ds = dataset(RAMP, 12, NumberOfFrames=frames)
    del ds.Rows
    path = write(tmp_path / "scan", ds)
    assert count_frames(path) == 1 and "frames, more than the file holds" in reason(path)


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEG2000Lossless])
def test_compressed_pixels_of_another_size(tmp_path: Path, syntax: UID) -> None:
    ds = compressed(np.zeros((300, 400), np.uint8), syntax)
    ds.Rows, ds.Columns = 4, 4
    why = reason(write(tmp_path / "scan", ds, syntax))
    assert why == "its compressed pixels are 400 x 300 where its header says 4 x 4: it is damaged"


def test_runs_that_are_longer_than_the_image(tmp_path: Path) -> None:
    """On these pylibjpeg-rle panics, which is not an Exception; pydicom passes over the rest."""
    ds = compressed(np.zeros((4, 4), np.uint16), RLELossless)
    segment = bytes([19, *range(20)]) + b"\0"  # 20 values as they are, of which 16 would fit
    ds.PixelData = encapsulate([struct.pack("<16I", 2, 64, 64 + len(segment), *[0] * 13) + segment * 2])
    pixels = decode(write(tmp_path / "scan", ds, RLELossless)).pixels
    np.testing.assert_array_equal(pixels.ravel(), np.arange(16) * 257)  # a segment for the high bytes, one for the low


def test_a_deflated_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medad.data.readers.dicom_file.INFLATED", 1 << 20)
    path = write(tmp_path / "scan", dataset(np.zeros((2000, 2000), np.uint8)), DeflatedExplicitVRLittleEndian)
    assert path.stat().st_size < 10_000 and reason(path) == "is deflated, and holds more than 1 MiB"


def test_sequences_that_are_nested_without_end(tmp_path: Path) -> None:
    path = write(tmp_path / "scan", dataset(RAMP, 12))
    content = path.read_bytes()
    deep = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff" * 5000
    path.write_bytes(content[: content.index(b"\x08\0\x16\0UI")] + deep)
    assert "cannot be decoded" in reason(path) and count_frames(path) == 1


def test_large_elements_are_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medad.data.readers.dicom_file.LARGE", 1000)
    ds = dataset(RAMP, 12, RescaleSlope="2", RescaleIntercept="1")
    ds.add_new(0x00091010, "OB", bytes(5000))
    np.testing.assert_array_equal(decode(write(tmp_path / "scan", ds)).pixels, RAMP * 2 + 1)


def encapsulated(path: Path, syntax: UID, frame: bytes, **elements: Any) -> Path:
    ds = dataset(np.zeros((4, 4), np.uint8), **elements)
    ds.PixelData = encapsulate([frame])
    ds["PixelData"].is_undefined_length = True
    return write(path, ds, syntax)


def test_syntaxes_that_nothing_decodes_are_named(tmp_path: Path) -> None:
    path = encapsulated(tmp_path / "film", MPEG4HP41, b"\0" * 100, NumberOfFrames=9)
    assert count_frames(path) == 1  # one reason, not nine
    assert reason(path).startswith(f"is compressed as {MPEG4HP41.name}, which nothing that medad uses can decode")


def frame_header(kind: int, bits: int = 8, size: tuple[int, int] = (4, 4), samples: int = 1) -> bytes:
    """Return a JPEG without pixels."""
    header = struct.pack(">HHBHHB", 0xFF00 | kind, 8 + 3 * samples, bits, *size, samples) + b"\1\x11\0" * samples
    return b"\xff\xd8" + header + b"\xff\xda\0\x08\1\1\0\0\0\0\xff\xd9"


def test_plug_ins_that_are_not_there_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pydicom.pixels.decoders import JPEGLosslessDecoder as decoder

    path = encapsulated(tmp_path / "scan", JPEGLossless, frame_header(0xC3))
    why = reason(path)
    assert why == f"is compressed as {JPEGLossless.name} and cannot be decoded (gdcm: gave no pixels)"
    lacking = {"gdcm": ("gdcm>=3.0.10",), "pylibjpeg": ("pylibjpeg>=2.0", "pylibjpeg-libjpeg>=2.1")}
    monkeypatch.setattr(decoder, "_available", {})
    monkeypatch.setattr(decoder, "_unavailable", lacking)
    assert reason(path) == f"is compressed as {JPEGLossless.name}: pip install medad[dicom]"


@pytest.mark.parametrize(
    ("syntax", "coded", "why"),
    [
        (JPEGLossless, frame_header(0xC3, bits=32), "have 1 samples of 32 bits"),
        (JPEGLossless, frame_header(0xC3, samples=3), "have 3 samples of 8 bits"),
        (JPEGLossless, frame_header(0xC0), "have 1 samples of 8 bits"),
        (JPEGLSLossless, frame_header(0xF7, bits=199), "have 1 samples of 199 bits"),
        (JPEGLossless, frame_header(0xC3, size=(65000, 65000)), "are 65000 x 65000 where its header says 4 x 4"),
        (JPEGLossless, b"\xff\xd8\x12" + frame_header(0xC3)[3:], "the header of its pixels is damaged"),
        (JPEGLossless, b"\xff\xd8\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\x84" + frame_header(0xC3)[2:], "header of its"),
        (JPEGLSLossless, b"\xff\xd8", "the header of its pixels is damaged"),
        (JPEG2000Lossless, b"\xff\x4f\xff\x51\0\0", "the header of its pixels is damaged"),
    ],
)
def test_compressed_pixels_are_looked_at_before_a_decoder_sees_them(
    tmp_path: Path, syntax: UID, coded: bytes, why: str
) -> None:
    """Several of them end the whole process in gdcm."""
    assert why in reason(encapsulated(tmp_path / "scan", syntax, coded))


def test_pixels_without_transfer_syntax(tmp_path: Path) -> None:
    ds = dataset(np.zeros((4, 4), np.uint8))
    path = write(tmp_path / "scan", ds, preamble=False)
    content = path.read_bytes()
    at = content.index(b"\xe0\x7f\x10\0")
    path.write_bytes(content[:at] + b"\xe0\x7f\x10\0OB\0\0\xff\xff\xff\xff" + encapsulate([b"\xff\xd8\xff\xd9"]))
    assert reason(path) == "does not say how its pixels are compressed (its transfer syntax)"


def test_the_dtype_rule_through_read_image(tmp_path: Path) -> None:
    path = write(tmp_path / "scan", dataset(RAMP, 12))
    np.testing.assert_array_equal(read_image(path, intensity="dtype"), np.rint(RAMP / 4095 * 65535))


def test_a_set_of_files_knows_its_patients(tmp_path: Path) -> None:
    for number, patient in enumerate(("7", "8", "7")):
        write(tmp_path / f"{number}", dataset(RAMP, 12, PatientID=patient, PixelSpacing=["1", "2"]))
    loaded = load_images(find_images([tmp_path]).entries, Preprocessing(16, fit="pad"), cache=False)
    assert loaded.images.patients == ("7", "8", "7") and loaded.images.pixels.dtype == np.uint16
    assert loaded.intensities == {"DICOM, 12 bits: from 0 to 4095": 3} and loaded.failures == ()
    assert not loaded.images.pixels[0, 0, :4].any()  # twice as wide as high: black above and below
