"""Images as a script gives them: arrays, lists of files, folders, splits."""

from pathlib import Path

import numpy as np
import pytest
from helpers import make_images
from PIL import Image

from medad.data.given import as_images, read_images
from medad.data.preprocessing import Preprocessing
from medad.data.repartition import Repartition
from medad.errors import UserError


@pytest.fixture
def files(tmp_path):
    """Three images of 8 x 8, and their pixels."""
    pixels = np.random.default_rng(0).integers(0, 255, (3, 8, 8), dtype=np.uint8)
    paths = [tmp_path / "photos" / f"{i}.png" for i in range(3)]
    paths[0].parent.mkdir()
    for path, image in zip(paths, pixels, strict=True):
        Image.fromarray(image).save(path)
    return paths, pixels


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_arrays_with_and_without_channels(dtype):
    pixels = np.arange(2 * 3 * 8 * 8).reshape(2, 3, 8, 8).astype(dtype)
    images = as_images(pixels, Preprocessing(8, 3))
    assert images.pixels is pixels and images.ids == ("0", "1") and images.labels is None
    np.testing.assert_array_equal(as_images(pixels[:, 0], Preprocessing(8, 1)).pixels, pixels[:, :1])


def test_an_image_set_stays_as_it_is():
    images = make_images(2, size=8)
    assert as_images(images, Preprocessing(8, 1)) is images


@pytest.mark.parametrize("as_type", [str, Path])
def test_lists_of_files(files, as_type):
    paths, pixels = files
    images = as_images([as_type(path) for path in paths[::-1]], Preprocessing(8, 1))
    np.testing.assert_array_equal(images.pixels[:, 0], pixels[::-1])
    assert images.ids == ("2.png", "1.png", "0.png")
    assert as_images([as_type(path) for path in paths], Preprocessing(16, 3)).pixels.shape == (3, 3, 16, 16)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (np.zeros((10, 64, 64)), r"an array of float64, \(10, 64, 64\): give uint8 or uint16, .* e.g. .*astype"),
        (np.zeros((10, 64, 64), np.int64), r"an array of int64, .*: give uint8 or uint16, \(n, H, W\)"),
        (np.zeros((64, 64), np.uint8), r"an array of uint8, \(64, 64\): give"),
        ("photos", "images cannot be made of str: give an array .* or what medad.read_images returns"),
        ([np.zeros((8, 8), np.uint8)], "images cannot be made of list: give an array"),
        (None, "images cannot be made of NoneType"),
        (np.zeros((4, 32, 64), np.uint8), r"images are \(1, 32, 64\) .* expects \(1, 64, 64\)"),
        (make_images(2, size=8), r"images are \(1, 8, 8\) .* expects \(1, 64, 64\)"),
        (["absent.png"], "absent.png: No such file"),
    ],
)
def test_anything_else_is_refused_with_what_is_expected(given, said):
    with pytest.raises(UserError, match=said):
        as_images(given, Preprocessing(64, 1))


def test_a_folder_or_some_of_its_files(files):
    paths, pixels = files
    folder = paths[0].parent
    for source in (folder, str(folder), [folder], paths):
        images = read_images(source, size=8)
        np.testing.assert_array_equal(images.pixels[:, 0], pixels)
    assert len(read_images(paths[1], size=8)) == 1 and read_images(folder).pixels.shape == (3, 1, 64, 64)


def test_a_split_keeps_what_is_known(phantoms):
    images = read_images(Repartition.read(str(phantoms)).test)
    assert images.labels.sum() == 8 and images.masks.shape == (16, 64, 64) and images.kinds is not None
    assert len(read_images(())) == 0


def test_what_was_noticed_is_warned_of(files):
    paths, _ = files
    Image.new("L", (12, 12), 9).save(paths[0])
    with pytest.warns(UserWarning, match="constant images: 1"), pytest.warns(UserWarning, match="mixed sizes"):
        read_images(paths)
