"""Heat maps as files, at native size and without collisions, and small pictures for the worklist."""

import numpy as np
import pytest
from PIL import Image

from medad.data.imageset import ImageSet
from medad.data.preprocessing import Preprocessing
from medad.workflows.heatmaps import draw_pictures, heatmap_path, small_path


@pytest.fixture
def images(tmp_path):
    """Grey images of four sizes, whose names differ in folder and extension only."""
    names, paths = ("a/x.png", "b/x.png", "a/x.bmp", "x.png"), []
    for i, name in enumerate(names):
        file = tmp_path / "in" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (30 + i, 20), 50).save(file)
        paths.append(str(file))
    return ImageSet(np.zeros((4, 1, 8, 8), np.uint8), names, tuple(paths))


@pytest.fixture
def maps():
    """Maps of which the third alone has anything to show, on its left."""
    maps = np.zeros((4, 8, 8), np.float32)
    maps[2, :, :4] = 1
    return maps


def test_heat_maps_have_native_size_and_names_of_their_own(images, maps, tmp_path):
    draw_pictures(images, maps, (0.0, 1.0), Preprocessing(8), tmp_path, 2)
    for i, name in enumerate(images.ids):
        with Image.open(tmp_path / "heatmaps" / f"{name}.png") as drawn:
            assert drawn.size == (30 + i, 20)
            pixels = np.asarray(drawn.convert("RGB")).astype(int)
        assert (pixels == 50).all() == (i != 2)
    left, right = pixels_of(tmp_path / "heatmaps" / "a/x.bmp.png")
    assert left != (50, 50, 50) and right == (50, 50, 50)


def test_small_pictures_show_the_image_beside_its_map(images, maps, tmp_path):
    draw_pictures(images, maps, (0.0, 1.0), Preprocessing(8), tmp_path, 2)
    for i, name in enumerate(images.ids):
        with Image.open(tmp_path / "worklist" / f"{name}.jpg") as drawn:
            pixels = np.asarray(drawn.convert("RGB")).astype(int)
        assert pixels.shape == (round(256 * 20 / (30 + i)), 256 + 4 + 256, 3)
        plain, heat = pixels[:, :250], pixels[:, 266:]
        assert (abs(plain - 50) < 5).all() and (abs(heat - 50) < 5).all() == (i != 2)


def test_without_maps_the_images_alone_are_drawn(images, tmp_path):
    draw_pictures(images, None, None, Preprocessing(8), tmp_path, 2)
    with Image.open(tmp_path / "worklist/a/x.bmp.jpg") as drawn:
        assert drawn.size == (256, 160)
    assert [path.name for path in tmp_path.iterdir() if path.name != "in"] == ["worklist"]


def pixels_of(file):
    with Image.open(file) as drawn:
        return drawn.getpixel((1, 10)), drawn.getpixel((drawn.width - 2, 10))


@pytest.mark.parametrize("letter", ["x", "ü", "\udcff"])
def test_long_names_are_cut_and_kept_apart(letter, tmp_path):
    longest = (254 // len(letter.encode(errors="surrogateescape"))) * letter
    for path, suffix in ((heatmap_path, ".png"), (small_path, ".jpg")):
        files = [path(tmp_path, f"deep/{longest[1:]}{end}") for end in ("a", "b")]
        files[0].parent.mkdir(parents=True)
        for file in files:
            file.touch()
        assert len(set(files)) == 2 and all(file.suffix == suffix for file in files)


def test_a_name_that_just_fits_is_left_alone(tmp_path):
    assert heatmap_path(tmp_path, "x" * 251).name == "x" * 251 + ".png"
    assert len(heatmap_path(tmp_path, "x" * 252).name) == 255


def test_each_frame_of_a_file_is_drawn(tmp_path):
    pages = [Image.new("L", (30, 20), grey) for grey in (50, 200)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    names, paths = ("a.tif#1", "a.tif#2"), (str(tmp_path / "a.tif"),) * 2
    images = ImageSet(np.zeros((2, 1, 8, 8), np.uint8), names, paths, frames=(1, 2))
    draw_pictures(images, np.zeros((2, 8, 8), np.float32), (0.0, 1.0), Preprocessing(8), tmp_path, 1)
    assert [pixels_of(tmp_path / "heatmaps" / f"{name}.png")[0][0] for name in names] == [50, 200]


def test_files_that_are_gone_are_told_and_the_others_drawn(images, maps, tmp_path):
    (tmp_path / "in" / "b/x.png").unlink()
    gone = draw_pictures(images, maps, (0.0, 1.0), Preprocessing(8), tmp_path, 2)
    why = "scored, but gone when its heat map was drawn: No such file or directory"
    assert [(failure.path, failure.reason) for failure in gone] == [(tmp_path / "in" / "b/x.png", why)]
    assert [heatmap_path(tmp_path, name).exists() for name in images.ids] == [True, False, True, True]
