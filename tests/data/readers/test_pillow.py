"""Every file is read exactly or refused with one reason."""

import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_files import SaveImage, random_image, write_png, write_tiff
from PIL import Image

from medad.data.readers import UnreadableImage, count_frames, decode, read_header
from medad.data.readers.contract import Header
from medad.data.readers.pillow import MAX_PIXELS, PillowReader
from medad.data.shown import read_image
from medad.errors import MedadError


def reason(path: Path) -> str:
    with pytest.raises(UnreadableImage) as caught:
        read_image(path)
    assert isinstance(caught.value, MedadError) and caught.value.path == path
    assert str(caught.value) == f"{path}: {caught.value.reason}" and "\n" not in caught.value.reason
    return caught.value.reason


@pytest.mark.parametrize(
    ("name", "mode", "target"),
    [
        ("a.png", "L", "L"),
        ("a.bmp", "L", "L"),
        ("a.tif", "L", "L"),
        ("a.JPG", "L", "L"),
        ("a.png", "1", "L"),
        ("a.png", "RGB", "RGB"),
        ("a.jpeg", "RGB", "RGB"),
        ("a.png", "P", "RGB"),
        ("a.tiff", "CMYK", "RGB"),
    ],
)
def test_8_bit_modes_become_grey_or_rgb(save: SaveImage, name: str, mode: str, target: str) -> None:
    path = save(name, mode, (7, 5))
    decoded = decode(path)
    assert decoded.pixels.dtype == np.uint8
    assert decoded.mode == mode
    with Image.open(path) as image:
        np.testing.assert_array_equal(decoded.pixels, np.array(image.convert(target)))


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_16_bits_are_kept(save: SaveImage, name: str) -> None:
    np.testing.assert_array_equal(read_image(save(name, "I;16")), np.array(random_image("I;16", (9, 9))))


def test_big_endian_16_bit_tiff(tmp_path: Path) -> None:
    values = np.array([[1, 256], [65535, 0]], dtype=np.uint16)
    Image.frombytes("I;16B", (2, 2), values.astype(">u2").tobytes()).save(tmp_path / "a.tif")
    decoded = read_image(tmp_path / "a.tif")
    assert decoded.dtype == np.dtype(np.uint16)
    np.testing.assert_array_equal(decoded, values)


@pytest.mark.parametrize("mode", ["F", "I"])
def test_32_bit_values_are_kept_and_have_no_white(save: SaveImage, tmp_path: Path, mode: str) -> None:
    decoded = decode(save("a.tif", mode))
    np.testing.assert_array_equal(decoded.pixels, np.array(random_image(mode, (9, 9))))
    assert decoded.white is None and decoded.mode == mode and read_image(tmp_path / "a.tif").dtype == np.uint16


def test_constant_float_image_is_black(tmp_path: Path) -> None:
    Image.fromarray(np.full((3, 3), 7.5, np.float32)).save(tmp_path / "a.tif")
    assert not read_image(tmp_path / "a.tif").any()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_float_image_with_a_value_that_is_no_number(tmp_path: Path, bad: float) -> None:
    Image.fromarray(np.array([[0, bad]], np.float32)).save(tmp_path / "a.tif")
    assert "NaN or infinite" in reason(tmp_path / "a.tif")


def test_missing_empty_folder_and_no_image(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("not an image")
    (tmp_path / "folder.png").mkdir()
    assert "No such file" in reason(tmp_path / "missing.png")
    assert "empty" in reason(tmp_path / "empty.png")
    assert "not an image" in reason(tmp_path / "text.png")
    assert "directory" in reason(tmp_path / "folder.png")


@pytest.mark.parametrize("name", ["scan.ico", "scan", "scan.png"])
def test_other_formats_are_refused_with_the_known_ones(tmp_path: Path, name: str) -> None:
    random_image("L", (5, 5)).save(tmp_path / name, "ICO")
    known = "not an image of a known format (DICOM, PNG, JPEG, TIFF, BMP, JPEG 2000, WebP, GIF, PGM"
    assert known in reason(tmp_path / name)


@pytest.mark.parametrize("saved", ["PNG", "JPEG", "TIFF", "BMP", "JPEG2000", "PPM"])
@pytest.mark.parametrize("name", ["scan", "scan.dat", "scan.png", "scan.1"])
def test_what_a_file_begins_with_counts_and_not_its_name(tmp_path: Path, saved: str, name: str) -> None:
    random_image("L", (9, 5)).save(tmp_path / name, saved)
    with Image.open(tmp_path / name) as image:
        np.testing.assert_array_equal(read_image(tmp_path / name), np.array(image))
    assert read_header(tmp_path / name) == Header() and count_frames(tmp_path / name) == 1


def test_text_that_begins_like_a_bmp_is_none() -> None:
    assert not PillowReader().knows(b"BMI,age,sex\n21.3,40,f\n")
    assert not PillowReader().knows(b"") and not PillowReader().knows(b"BM")


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.bmp"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_truncated_files(save: SaveImage, name: str, share: float) -> None:
    path = save(name, "RGB", (64, 64))
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert reason(path)


@pytest.mark.parametrize("name", ["a.tif", "a.png"])
def test_which_of_several_frames_is_to_be_said(tmp_path: Path, name: str) -> None:
    frames = [random_image("L", (5, 5), seed) for seed in range(3)]
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
    assert reason(tmp_path / name) == f"has 3 frames: export one file per frame, or list them as {name}#1 to {name}#3"
    for number, frame in enumerate(frames, start=1):
        np.testing.assert_array_equal(read_image(tmp_path / name, number), np.array(frame))
    for number in (0, 4):
        with pytest.raises(UnreadableImage, match=f"frame {number}: no such frame, the file has 3"):
            read_image(tmp_path / name, number)


@pytest.mark.parametrize("kind", [1, 4])  # a page at a lower resolution, the mask of a page
def test_pages_that_are_no_images_of_their_own_are_no_frames(tmp_path: Path, kind: int) -> None:
    first, thumbnail, last = (random_image("L", size, seed) for seed, size in enumerate([(8, 6), (4, 3), (7, 5)]))
    for page, of_kind in ((first, 0), (thumbnail, kind), (last, 0)):
        page.encoderinfo = {"tiffinfo": {254: of_kind}}
    first.save(tmp_path / "a.tif", save_all=True, append_images=[thumbnail, last], tiffinfo={254: 0})
    assert count_frames(tmp_path / "a.tif") == 2
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif", 2), np.array(last))
    first.save(tmp_path / "b.tif", save_all=True, append_images=[thumbnail], tiffinfo={254: 0})
    np.testing.assert_array_equal(read_image(tmp_path / "b.tif"), np.array(first))


@pytest.mark.parametrize("side", [9500, 100_000])  # just above the limit, and where Pillow itself refuses
def test_size_is_checked_from_the_header(tmp_path: Path, side: int) -> None:
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + header
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    (tmp_path / "bomb.png").write_bytes(png + struct.pack(">I", 0) + b"IDAT")
    assert reason(tmp_path / "bomb.png") == f"its header claims more than {MAX_PIXELS} pixels"


def test_importing_leaves_the_filters_of_warnings_alone() -> None:
    script = "import numpy, warnings;"
    script += " before = warnings.filters[:]; import medad.data.readers; assert before == warnings.filters"
    subprocess.run([sys.executable, "-c", script], check=True)


def write_float(path: Path, rows: np.ndarray) -> None:
    write_tiff(path, rows.astype(np.float64), 2)


@given(st.data())
def test_damaged_files_never_raise_anything_else(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    kinds = [("a.png", "P"), ("a.jpg", "L"), ("a.tif", "RGB"), ("a.bmp", "1"), ("a.jp2", "I;16"), ("a.webp", "RGBA")]
    name, mode = data.draw(st.sampled_from([*kinds, ("a.gif", "L"), ("a.pgm", "L"), ("16.png", ""), ("f8.tif", "")]))
    path = tmp_path_factory.mktemp("damaged") / name
    if mode:
        random_image(mode, (8, 8)).save(path)
    else:
        (write_png if name == "16.png" else write_float)(path, np.ones((8, 8, 3), np.uint16))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        pixels = read_image(path)
    except UnreadableImage:
        return
    assert pixels.dtype in (np.uint8, np.uint16) and pixels.ndim in (2, 3)
