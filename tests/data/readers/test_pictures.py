"""The right value of every kind of pixel that pictures come with, written by hand or by another library."""

import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from image_files import random_image, write_png, write_tiff
from PIL import Image, ImageOps

from medad.data.intensity import Intensity
from medad.data.readers import UnreadableImage, count_frames, decode
from medad.data.readers.contract import Decoded
from medad.data.shown import read_image

LAID = "transparent pixels were laid on black"


def values(dtype: str, *shape: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return rng.normal(size=shape).astype(kind)
    low, high = np.iinfo(kind).min, np.iinfo(kind).max
    return rng.integers(low, high, shape, dtype=kind.newbyteorder("="), endpoint=True).astype(kind)


def check(path: Path, expected: np.ndarray, white: float | None) -> Decoded:
    decoded = decode(path)
    assert decoded.pixels.dtype == expected.dtype.newbyteorder("=") and decoded.white == white
    np.testing.assert_array_equal(decoded.pixels, expected)
    return decoded


def reason(path: Path) -> str:
    with pytest.raises(UnreadableImage) as caught:
        decode(path)
    return caught.value.reason


WHITES = {"u1": 255.0, "<u2": 65535.0, ">u2": 65535.0}


@pytest.mark.parametrize("dtype", ["u1", "i1", *(f"{o}{t}" for o in "<>" for t in ("u2", "i2", "u4", "i4"))])
@pytest.mark.parametrize("photometric", [0, 1])
def test_whole_numbers_keep_their_values(tmp_path: Path, dtype: str, photometric: int) -> None:
    rows = values(dtype, 7, 9)
    path = write_tiff(tmp_path / "a.tif", rows, photometric)
    if dtype == "u1" and photometric == 0:  # turned round by Pillow
        assert not check(path, 255 - rows, 255).inverted
    else:
        assert check(path, rows, WHITES.get(dtype)).inverted == (photometric == 0)


@pytest.mark.parametrize("dtype", ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8"])
@pytest.mark.parametrize("shape", [(7, 9), (7, 9, 3)])
def test_floating_point_numbers_keep_their_values(tmp_path: Path, dtype: str, shape: tuple[int, ...]) -> None:
    rows = values(dtype, *shape)
    check(write_tiff(tmp_path / "a.tif", rows, 2 if len(shape) == 3 else 1), rows, None)
    assert read_image(tmp_path / "a.tif").dtype == np.uint16
    if len(shape) == 2:
        assert check(write_tiff(tmp_path / "b.tif", rows, 0), rows, None).inverted


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("layout", [{}, {"rowsperstrip": 4}, {"tile": (16, 16)}, {"predictor": True}])
def test_layouts_that_pillow_does_not_know(tmp_path: Path, compression: str | None, layout: dict[str, object]) -> None:
    rows = values("i2", 20, 30)
    for dtype, kind in (("<f8", {}), ("<i2", {}), ("<u4", {}), (">u2", {"photometric": "miniswhite"})):
        if layout.get("predictor") and (compression is None or dtype == "<f8"):
            continue
        tifffile.imwrite(tmp_path / "a.tif", rows.astype(dtype), compression=compression, **layout, **kind)
        np.testing.assert_array_equal(decode(tmp_path / "a.tif").pixels, rows.astype(dtype))


@pytest.mark.parametrize("order", "<>")
def test_16_bit_colour_of_png_and_tiff_is_exact(tmp_path: Path, order: str) -> None:
    rows = values(f"{order}u2", 11, 6, 3)
    for path in (write_tiff(tmp_path / "a.tif", rows, 2), write_png(tmp_path / "a.png", rows)):
        check(path, rows, 65535)
    for layout in ({"compression": "zlib"}, {"planarconfig": "separate"}, {"tile": (16, 16)}, {"predictor": True}):
        how = {"compression": "zlib"} | layout if "predictor" in layout else layout
        laid_out = np.moveaxis(rows, 2, 0) if "planarconfig" in layout else rows
        tifffile.imwrite(tmp_path / "b.tif", laid_out, photometric="rgb", byteorder=order, **how)
        check(tmp_path / "b.tif", rows, 65535)


def test_every_page_of_16_bit_colour(tmp_path: Path) -> None:
    pages = values("u2", 3, 5, 4, 3)
    tifffile.imwrite(tmp_path / "a.tif", pages, photometric="rgb")
    assert count_frames(tmp_path / "a.tif") == 3
    for number, page in enumerate(pages, start=1):
        np.testing.assert_array_equal(decode(tmp_path / "a.tif", number).pixels, page)


def test_pages_of_kinds_that_pillow_does_not_know(tmp_path: Path) -> None:
    pages = values("f8", 3, 5, 4)
    tifffile.imwrite(tmp_path / "a.tif", pages, photometric="minisblack")
    assert count_frames(tmp_path / "a.tif") == 3
    np.testing.assert_array_equal(decode(tmp_path / "a.tif", 2).pixels, pages[1])
    assert "has 3 frames" in reason(tmp_path / "a.tif")


@pytest.mark.parametrize("dtype", ["u1", "u2"])
@pytest.mark.parametrize("colours", [1, 3])
def test_what_is_transparent_lies_on_black(tmp_path: Path, dtype: str, colours: int) -> None:
    rows, white = values(dtype, 9, 8, colours + 1), np.iinfo(dtype).max
    expected = np.rint(rows[..., :-1] / white * rows[..., -1:]).astype(dtype).squeeze()
    tags, photometric = {338: [2]}, 1 if colours == 1 else 2
    for path in (
        write_png(tmp_path / "a.png", rows),
        write_tiff(tmp_path / "a.tif", rows, photometric, tags),
        write_tiff(tmp_path / "b.tif", rows.astype(rows.dtype.newbyteorder(">")), photometric, tags),
    ):
        assert check(path, expected, white).remarks == (LAID,)
    rows[..., -1] = white
    assert check(write_png(tmp_path / "c.png", rows), rows[..., :-1].squeeze(), white).remarks == ()


def test_colours_that_were_multiplied_by_their_opacity_lie_on_black_already(tmp_path: Path) -> None:
    rows = values("u2", 9, 8, 4)
    rows[..., :3] = rows[..., :3] // 65535.0 * rows[..., 3:]
    check(write_tiff(tmp_path / "a.tif", rows, 2, {338: [1]}), rows[..., :3], 65535)


def test_a_transparent_colour(tmp_path: Path) -> None:
    for dtype in ("u1", "u2"):
        rows = values(dtype, 6, 5)
        key = struct.pack(">H", rows[2, 3])
        expected = np.where(rows == rows[2, 3], 0, rows).astype(dtype)
        assert check(write_png(tmp_path / "a.png", rows, {b"tRNS": key}), expected, np.iinfo(dtype).max).remarks
    Image.fromarray(np.array([[0, 1, 2]], np.uint8)).save(tmp_path / "b.png", transparency=1)
    np.testing.assert_array_equal(decode(tmp_path / "b.png").pixels, [[0, 0, 2]])


def test_declared_depth_is_white_where_the_values_keep_to_it(tmp_path: Path) -> None:
    rows = values("u2", 8, 8) >> 4
    twelve = {b"sBIT": bytes([12])}
    assert check(write_png(tmp_path / "a.png", rows, twelve), rows, 4095).header.bits == 12
    assert Intensity.parse("dtype")(decode(tmp_path / "a.png"))[1] == "from 0 to 4095"
    check(write_png(tmp_path / "scaled.png", rows << 4, twelve), rows << 4, 65535)  # as the standard of PNG wants it
    colour = np.dstack([rows] * 3)
    check(write_png(tmp_path / "rgb.png", colour, {b"sBIT": bytes([12] * 3)}), colour, 4095)
    pairs = rows.reshape(-1, 2).astype(int)
    packed = np.stack([pairs[:, 0] >> 4, (pairs[:, 0] & 15) << 4 | pairs[:, 1] >> 8, pairs[:, 1] & 255], 1)
    path = write_tiff(tmp_path / "a.tif", packed.astype("u1").reshape(8, 12), 1, {256: 8, 258: [12]})
    assert check(path, rows, 4095).header.bits == 12


def test_channels_of_which_nothing_is_told_are_refused_or_left_out(tmp_path: Path) -> None:
    rows = values("u1", 6, 5, 4)
    told = reason(write_tiff(tmp_path / "a.tif", rows, 1))
    assert told == "4 channels are said to be grey, and nothing tells what the others hold: save it as grey or RGB"
    rows = values("<u2", 6, 5, 5)
    assert "5 channels are said to be RGB" in reason(write_tiff(tmp_path / "b.tif", rows, 2))
    decoded = check(write_tiff(tmp_path / "c.tif", rows, 2, {338: [0, 0]}), rows[..., :3], 65535)
    assert decoded.remarks == ("channels beside grey or colour were left out (2)",)
    rows = values("<f4", 6, 5, 2)
    check(write_tiff(tmp_path / "d.tif", rows, 1, {338: [0]}), rows[..., 0], None)


def test_what_tifffile_cannot_decompress_is_refused_with_the_reason(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tif", values("<f8", 6, 5), 1, {259: 5})
    assert reason(path) == "float64 values compressed by LZW are not read: save it uncompressed or with deflate"
    path = write_tiff(tmp_path / "a.tif", values("<f8", 6, 5, 3), 10)
    assert reason(path) == "its colours are of a kind that is not read (photometric interpretation 10)"


def test_a_page_that_unfolds_to_more_than_it_claims(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((3000, 3000)), compression="zlib", rowsperstrip=3000)
    content = (tmp_path / "a.tif").read_bytes()
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as file:
        file.pages[0].tags["ImageLength"].overwrite(20)
    assert (tmp_path / "a.tif").read_bytes() != content
    assert reason(tmp_path / "a.tif") == "its data are larger than its header claims"


def test_sizes_are_checked_from_the_header(tmp_path: Path) -> None:
    claimed = {256: 7000, 257: 7000}
    deep = reason(write_tiff(tmp_path / "a.tif", values("u2", 5, 5, 3), 2, claimed))
    assert deep == "its header claims more than 33554432 pixels of 16-bit colour"
    assert "bytes of pixels" in reason(write_tiff(tmp_path / "b.tif", values("<f8", 5, 5), 1, claimed))
    claimed = {256: 9500, 257: 9500}
    assert "more than 67108864 pixels" in reason(write_tiff(tmp_path / "c.tif", values("<f8", 5, 5), 1, claimed))


@pytest.mark.parametrize("bits", [8, 16])
def test_palettes(tmp_path: Path, bits: int) -> None:
    index = values(f"u{bits // 8}", 6, 5)
    table = values("u2", 3, 2**bits)
    expected = table.T[index]
    path = write_tiff(tmp_path / "a.tif", index, 3, {320: table.ravel().tolist()})
    check(path, (expected >> 8).astype("u1") if bits == 8 else expected, 255 if bits == 8 else 65535)
    narrow = write_tiff(tmp_path / "b.tif", index, 3, {320: (table >> 8).ravel().tolist()})  # a common slip
    np.testing.assert_array_equal(decode(narrow).pixels, expected >> 8)
    assert decode(narrow).white == 255


def test_lab_becomes_srgb(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lightness, a, b = rng.uniform(20, 90, (3, 8, 8)) * [[[1]], [[0.3]], [[0.3]]] - [[[0]], [[15]], [[15]]]
    rows = np.stack([np.rint(lightness * 2.55), np.rint(a), np.rint(b)], 2).astype(np.int8)
    rows[..., 0] = np.rint(lightness * 2.55).astype(np.uint8).view(np.int8)
    path = write_tiff(tmp_path / "a.tif", rows.view(np.uint8), 8)
    decoded = decode(path)
    assert decoded.remarks == ("LAB colours were converted to sRGB",)
    # CIE 15 and IEC 61966-2-1, from D50 to the linear colours of sRGB by Bradford's adaptation
    y = (rows[..., 0].view(np.uint8) / 2.55 + 16) / 116
    f = np.stack([y + np.rint(a) / 500, y, y - np.rint(b) / 200], 2)
    xyz = np.where(f > 6 / 29, f**3, (f - 4 / 29) * 3 * (6 / 29) ** 2) * [0.9642, 1, 0.8249]
    matrix = [[3.13386, -1.61687, -0.49061], [-0.97877, 1.91614, 0.03345], [0.07194, -0.22899, 1.40524]]
    linear = np.clip(xyz @ np.transpose(matrix), 0, 1)
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055) * 255
    difference = np.abs(decoded.pixels - srgb)
    assert difference.mean() < 1 and difference.max() < 4


def test_cmyk_is_converted_and_said(tmp_path: Path) -> None:
    cmyk = random_image("CMYK", (6, 5))
    cmyk.save(tmp_path / "a.tif")
    decoded = decode(tmp_path / "a.tif")
    assert decoded.remarks == ("CMYK colours were converted without their profile",)
    np.testing.assert_array_equal(decoded.pixels, np.array(cmyk.convert("RGB")))


@pytest.mark.parametrize("name", ["a.jp2", "a.j2k"])
def test_jpeg_2000(tmp_path: Path, name: str) -> None:
    for mode in ("L", "RGB", "I;16"):
        image = random_image(mode, (40, 30))
        image.save(tmp_path / name, irreversible=False)
        check(tmp_path / name, np.array(image), 65535 if mode == "I;16" else 255)


@pytest.mark.parametrize(("bits", "signed"), [(12, False), (12, True), (16, True), (5, False), (8, True)])
def test_jpeg_2000_of_other_depths(tmp_path: Path, bits: int, signed: bool) -> None:
    openjpeg = pytest.importorskip("openjpeg.utils")
    rng = np.random.default_rng(0)
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if signed else (0, 2**bits)
    rows = rng.integers(low, high, (80, 70)).astype(f"{'i' if signed else 'u'}{1 if bits <= 8 else 2}")
    (tmp_path / "a.j2k").write_bytes(openjpeg.encode_array(rows, bits_stored=bits))
    decoded = decode(tmp_path / "a.j2k")
    np.testing.assert_array_equal(decoded.pixels, rows)
    assert decoded.white == (None if signed else 2**bits - 1) and decoded.header.bits == bits


def test_colour_that_loses_depth_is_said(tmp_path: Path) -> None:
    rows = values(">u2", 5, 6, 3)
    (tmp_path / "a.ppm").write_bytes(b"P6 6 5 65535\n" + rows.tobytes())
    decoded = decode(tmp_path / "a.ppm")
    assert decoded.remarks == ("colour of more than 8 bits was reduced to 8",)
    assert np.abs(decoded.pixels - rows / 257).max() <= 1


def test_pgm_and_webp_and_jfif(tmp_path: Path) -> None:
    rows = values("u1", 5, 6)
    (tmp_path / "a.pgm").write_bytes(b"P5\n# by hand\n6 5\n255\n" + rows.tobytes())
    check(tmp_path / "a.pgm", rows, 255)
    (tmp_path / "b.pgm").write_bytes(b"P5 6 5 65535\n" + values(">u2", 5, 6).tobytes())
    check(tmp_path / "b.pgm", values(">u2", 5, 6), 65535)
    random_image("RGB", (6, 5)).save(tmp_path / "a.webp", lossless=True)
    check(tmp_path / "a.webp", np.array(random_image("RGB", (6, 5))), 255)
    random_image("L", (6, 5)).save(tmp_path / "a.jfif", "JPEG")
    with Image.open(tmp_path / "a.jfif") as image:
        check(tmp_path / "a.jfif", np.array(image), 255)


@pytest.mark.parametrize("name", ["a.gif", "a.webp"])
def test_frames_of_an_animation(tmp_path: Path, name: str) -> None:
    frames = [random_image("L", (6, 5), seed) for seed in range(3)]
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], lossless=True)
    assert count_frames(tmp_path / name) == 3
    for number, frame in enumerate(frames, start=1):
        shown = decode(tmp_path / name, number).pixels
        np.testing.assert_array_equal(shown if shown.ndim == 2 else shown[..., 0], np.array(frame))


def test_the_first_picture_of_an_mpo(tmp_path: Path) -> None:
    frames = [random_image("L", (16, 16), seed) for seed in range(2)]
    frames[0].save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=frames[1:])
    assert count_frames(tmp_path / "a.jpg") == 1
    decoded = decode(tmp_path / "a.jpg")
    assert decoded.remarks == ("the first of several pictures of the file was read (MPO)",)
    with Image.open(tmp_path / "a.jpg") as image:
        np.testing.assert_array_equal(decoded.pixels, np.array(image))


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "16.png", "rgb16.png", "a.tif", "rgb16.tif", "f8.tif"])
def test_pixels_are_turned_as_the_file_says(tmp_path: Path, name: str, orientation: int) -> None:
    path, tags = tmp_path / name, {274: orientation}
    exif = Image.Exif()
    exif[274] = orientation
    rows = values({"rgb": "<u2", "16.": "<u2", "f8.": "<f8"}.get(name[:3], "u1"), 6, 9, *[3] * name.startswith("rgb"))
    if name.endswith("tif"):
        write_tiff(path, rows, 2 if rows.ndim == 3 else 1, tags)
    elif "16" in name:
        write_png(path, rows, {b"eXIf": exif.tobytes()[6:]})
    else:
        Image.fromarray(rows).save(path, exif=exif, **({"lossless": True} if name == "a.webp" else {}))
    if not name.endswith("tif") and "16" not in name:
        with Image.open(path) as image:
            rows = np.array(image.convert("L"))
    expected = turned(rows, orientation)
    decoded = decode(path)
    shown = decoded.pixels[..., 0] if name == "a.webp" else decoded.pixels
    np.testing.assert_array_equal(shown, expected)
    assert decoded.turned == (orientation if 2 <= orientation <= 8 else 1)


@pytest.mark.parametrize("exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0", b"Exif\0\0II*\0\x08\0\0\0\x05\0"])
def test_damaged_exif_is_no_reason_to_refuse_an_image(tmp_path: Path, exif: bytes) -> None:
    for name in ("a.jpg", "a.png"):
        random_image("L", (9, 6)).save(tmp_path / name, exif=exif)
        with Image.open(tmp_path / name) as image:
            check(tmp_path / name, np.array(image), 255)


def turned(rows: np.ndarray, orientation: int) -> np.ndarray:
    """Turn each channel as Pillow does."""
    exif = Image.Exif()
    exif[274] = orientation
    planes = []
    for plane in np.moveaxis(np.atleast_3d(rows), 2, 0):
        index = Image.fromarray(np.arange(plane.size, dtype=np.int32).reshape(plane.shape))
        index.getexif()[274] = orientation
        planes.append(plane.ravel()[np.array(ImageOps.exif_transpose(index))])
    return np.stack(planes, 2).reshape(*planes[0].shape, *rows.shape[2:])
