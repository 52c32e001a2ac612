"""Heat maps as files, at native size and without collisions."""

import tempfile

import numpy as np
from PIL import Image

from medad.evaluation.scores import ScoreTable
from medad.workflows.heatmaps import draw_heatmaps, stored_maps


def test_stored_maps_are_read_back():
    maps = np.random.default_rng(0).random((5, 4, 4)).astype(np.float32)
    with tempfile.TemporaryFile() as store:
        store.write(maps[:2].tobytes())
        store.write(maps[2:].tobytes())
        np.testing.assert_array_equal(stored_maps(store, 4), maps)


def test_nothing_stored():
    with tempfile.TemporaryFile() as store:
        assert stored_maps(store, 4).shape == (0, 4, 4)


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
    table = ScoreTable(names, None, {"pred_score": np.arange(4.0)})
    draw_heatmaps(table, paths, maps, (0.0, 1.0), tmp_path / "out", 2)
    for i, name in enumerate(names):
        with Image.open(tmp_path / "out" / "heatmaps" / f"{name}.png") as drawn:
            assert drawn.size == (30 + i, 20)
            pixels = np.asarray(drawn.convert("RGB")).astype(int)
        assert (pixels == 50).all() == (i != 2)  # only the third has anything to show
    left, right = pixels_of(tmp_path / "out" / "heatmaps" / "a/x.bmp.png")
    assert left != (50, 50, 50) and right == (50, 50, 50)
    assert (tmp_path / "out" / "contact_sheet.png").exists()


def pixels_of(file):
    with Image.open(file) as drawn:
        return drawn.getpixel((1, 10)), drawn.getpixel((drawn.width - 2, 10))
