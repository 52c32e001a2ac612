"""Heat maps as files, at native size and without collisions."""

import numpy as np
import pytest
from PIL import Image

from medad.data.imageset import ImageSet
from medad.workflows.heatmaps import draw_heatmaps, heatmap_path


def test_heat_maps_have_native_size_and_names_of_their_own(tmp_path):
    names = ("a/x.png", "b/x.png", "a/x.bmp", "x.png")
    paths = []
    for i, name in enumerate(names):
        file = tmp_path / "in" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (30 + i, 20), 50).save(file)
        paths.append(str(file))
    maps = np.zeros((4, 8, 8), np.float32)
    maps[2, :, :4] = 1
    images = ImageSet(np.zeros((4, 1, 8, 8), np.uint8), names, tuple(paths))
    draw_heatmaps(images, maps, (0.0, 1.0), tmp_path / "out", 2)
    for i, name in enumerate(names):
        with Image.open(tmp_path / "out" / f"{name}.png") as drawn:
            assert drawn.size == (30 + i, 20)
            pixels = np.asarray(drawn.convert("RGB")).astype(int)
        assert (pixels == 50).all() == (i != 2)  # only the third has anything to show
    left, right = pixels_of(tmp_path / "out" / "a/x.bmp.png")
    assert left != (50, 50, 50) and right == (50, 50, 50)


def pixels_of(file):
    with Image.open(file) as drawn:
        return drawn.getpixel((1, 10)), drawn.getpixel((drawn.width - 2, 10))


@pytest.mark.parametrize("letter", ["x", "ü", "\udcff"])
def test_long_names_are_cut_and_kept_apart(letter, tmp_path):
    longest = (254 // len(letter.encode(errors="surrogateescape"))) * letter
    files = [heatmap_path(tmp_path, f"deep/{longest[1:]}{end}") for end in ("a", "b")]
    files[0].parent.mkdir()
    for file in files:
        file.touch()
    assert len(set(files)) == 2 and all(file.suffix == ".png" for file in files)


def test_a_name_that_just_fits_is_left_alone(tmp_path):
    assert heatmap_path(tmp_path, "x" * 251).name == "x" * 251 + ".png"
    assert len(heatmap_path(tmp_path, "x" * 252).name) == 255
