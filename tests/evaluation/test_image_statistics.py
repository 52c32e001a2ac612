"""Statistics that see no pathology, against plain loops."""

import math
from dataclasses import replace

import numpy as np
import pytest
from helpers import make_images

from medad.evaluation import image_statistics as module
from medad.evaluation.image_statistics import STATISTICS, image_statistics, statistic_width

FORMS = [(64, 1, np.uint8), (128, 3, np.uint8), (64, 3, np.uint16), (100, 1, np.uint16), (5, 1, np.uint8)]


def grey(images):
    return images.pixels.astype(np.float64).mean(axis=1) / np.iinfo(images.pixels.dtype).max


@pytest.mark.parametrize(("size", "channels", "dtype"), FORMS)
def test_means_are_those_of_equal_squares(size, channels, dtype):
    images = make_images(4, size=size, channels=channels, dtype=dtype)
    found = image_statistics(images)
    for name, side in {"mean_intensity": 1, "thumbnail": 8, "pixels": 32}.items():
        side = min(side, size)
        fine = math.lcm(side, size)  # edges of squares are edges of pixels
        pixels = grey(images).repeat(fine // size, axis=1).repeat(fine // size, axis=2)
        expected = pixels.reshape(4, side, fine // side, side, fine // side).mean(axis=(2, 4))
        np.testing.assert_allclose(found[name], expected.reshape(4, -1), atol=1e-6)
        assert found[name].shape == (4, statistic_width(name, size)) and found[name].dtype == np.float32


@pytest.mark.parametrize("size", [1, 7])
def test_the_gradient_is_the_mean_difference_of_neighbours(size):
    rng = np.random.default_rng(0)
    images = replace(make_images(2), pixels=rng.integers(0, 256, (2, 1, size, size), dtype=np.uint8))
    for plane, found in zip(grey(images), image_statistics(images)["mean_gradient"], strict=True):
        total = 0.0
        for y in range(size):
            for x in range(size):
                total += abs(plane[y, x] - plane[y, x - 1]) if x else 0
                total += abs(plane[y, x] - plane[y - 1, x]) if y else 0
        assert found == pytest.approx([total / size**2], abs=1e-6)


def test_files_are_measured_where_every_image_has_one(tmp_path):
    images = make_images(3)
    paths = [tmp_path / name for name in images.ids]
    for i, path in enumerate(paths):
        path.write_bytes(b"x" * 10**i)
    sized = replace(images, paths=tuple(map(str, paths)))
    np.testing.assert_allclose(image_statistics(sized)["file_size"][:, 0], np.log([1, 10, 100]), rtol=1e-6)
    assert set(image_statistics(sized)) == set(STATISTICS)
    paths[1].unlink()
    assert set(image_statistics(images)) == set(image_statistics(sized)) == set(STATISTICS) - {"file_size"}


def test_blocks_and_rows_change_nothing(monkeypatch):
    images = make_images(7)
    whole = image_statistics(images)
    monkeypatch.setattr(module, "_AT_ONCE", 2)
    some = image_statistics(images, [6, 0, 3])
    for name, values in whole.items():
        np.testing.assert_array_equal(some[name], values[[6, 0, 3]])
