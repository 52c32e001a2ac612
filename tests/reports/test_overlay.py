"""Overlays keep the image's size and colours; the contact sheet is sorted and bounded."""

import numpy as np
import pytest
from PIL import Image

from medad.reports.overlay import contact_sheet, overlay


@pytest.mark.parametrize("shape", [(30, 50), (30, 50, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_overlay_has_the_native_size(shape, dtype):
    image = np.random.default_rng(0).integers(0, 200, shape).astype(dtype)
    blended = overlay(image, np.zeros((8, 8)), 0, 1)
    assert blended.size == (50, 30)
    assert blended.mode == "RGB"


def test_a_map_at_its_lower_end_leaves_the_image_alone():
    image = np.random.default_rng(0).integers(0, 256, (9, 7, 3)).astype(np.uint8)
    np.testing.assert_array_equal(np.asarray(overlay(image, np.full((3, 3), -1.0), 0, 1)), image)
    np.testing.assert_array_equal(np.asarray(overlay(image, np.ones((3, 3)), 1, 1)), image)


def test_colour_grows_with_the_map_where_the_map_is_high():
    anomaly_map = np.zeros((4, 4))
    anomaly_map[:, 2:] = [0.5, 1]
    blended = np.asarray(overlay(np.full((4, 4), 100, np.uint8), anomaly_map, 0, 1)).astype(int)
    distance = np.abs(blended - 100).sum(axis=-1)
    assert (distance[:, :2] == 0).all()
    assert (distance[:, 2] > 0).all()
    assert (distance[:, 3] > distance[:, 2]).all()


def test_maps_are_resized_bilinearly():
    ramp = np.tile(np.linspace(0, 1, 8), (8, 1))
    grey = np.zeros((64, 64), np.uint8)
    red = np.asarray(overlay(grey, ramp, 0, 1))[32, :, 0].astype(int)
    assert (np.diff(red) >= 0).all()
    assert len(np.unique(red)) > 20


def test_sixteen_bits_are_stretched_to_their_range():
    image = np.array([[1000, 2000], [3000, 4095]], np.uint16)
    grey = np.asarray(overlay(image, np.zeros((2, 2)), 0, 1))[..., 0]
    np.testing.assert_array_equal(grey, (image.astype(float) - 1000) * 255 // 3095)
    assert not np.asarray(overlay(np.full((2, 2), 500, np.uint16), np.zeros((2, 2)), 0, 1)).any()


@pytest.fixture
def plain(tmp_path):
    """Files of one colour each, in a folder of their own."""

    def write(colours, size=(20, 10)):
        (tmp_path / "in").mkdir(exist_ok=True)
        files = [tmp_path / "in" / f"{i}.png" for i in range(len(colours))]
        for file, colour in zip(files, colours, strict=True):
            Image.new("RGB", size, colour).save(file)
        return files

    return write


def found(path, columns, thumb=40):
    """Colours at the centres of the first cells, row by row."""
    page = np.asarray(Image.open(path))
    width, height = thumb + 6, thumb + 30 + 6
    return [
        tuple(page[26 + height * (i // columns) + thumb // 2, 6 + width * (i % columns) + thumb // 2]) for i in range(3)
    ]


@pytest.mark.parametrize("columns", [2, 8])
def test_contact_sheet_shows_the_highest_score_first(tmp_path, plain, columns):
    red, green, blue = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    path = contact_sheet(plain([red, green, blue]), "rgb", [0.2, 0.9, 0.5], tmp_path / "sheet.png", columns, thumb=40)
    assert found(path, min(columns, 3)) == [green, blue, red]
    assert {file.name for file in tmp_path.iterdir()} == {"in", "sheet.png"}


def test_contact_sheet_shows_at_most_two_hundred_and_opens_no_more(tmp_path, plain):
    pictures = plain([(9, 9, 9)] * 200, (4, 4))
    sheets = [contact_sheet(pictures, ["a"] * 200, np.arange(200), tmp_path / "a.png", thumb=20)]
    absent = [tmp_path / "absent.png"] * 30
    sheets.append(contact_sheet(absent + pictures, ["b"] * 230, np.arange(230), tmp_path / "b.png", thumb=20))
    sizes = [Image.open(sheet).size for sheet in sheets]
    assert sizes[0] == sizes[1]


def test_contact_sheet_refuses_what_does_not_match(tmp_path, plain):
    with pytest.raises(ValueError, match="0, 0, 0"):
        contact_sheet([], [], [], tmp_path / "s.png")
    with pytest.raises(ValueError, match="1, 1, 2"):
        contact_sheet(plain(["red"]), ["a"], [1.0, 2.0], tmp_path / "s.png")
    with pytest.raises(ValueError, match="1, 0, 1"):
        contact_sheet(plain(["red"]), [], [1.0], tmp_path / "s.png")


def test_contact_sheet_names_its_pictures(tmp_path, plain):
    """The second line below a picture is what its name looks like, whatever the name holds."""
    pictures = plain([(9, 9, 9)] * 2)
    sheets = [
        np.asarray(Image.open(contact_sheet(pictures, names, [2.0, 1.0], tmp_path / "s.png")))
        for names in (["scan 1", ""], ["", ""], ["scan 2", "\udcff\n"])
    ]
    name, other = ((26 + 160 + 15, 26 + 160 + 30, x) for x in (6, 6 + 166))
    named, empty, odd = (
        [(s[top:bottom, left : left + 160] < 128).any(axis=-1) for top, bottom, left in (name, other)] for s in sheets
    )
    assert named[0].any() and not empty[0].any() and (odd[0] != named[0]).any()
    assert not named[1].any() and odd[1].any()


def test_pictures_of_one_line_are_shown(tmp_path, plain):
    contact_sheet(plain(["red"], (4000, 1)), ["line"], [1.0], tmp_path / "s.png")
