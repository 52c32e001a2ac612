"""Resizing against Pillow, 16 bits against 8, masks by the nearest pixel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_files import SaveImage, random_image
from PIL import Image

from medad.data.intensity import widen
from medad.data.preprocessing import Preprocessing
from medad.data.shown import read_image
from medad.errors import UserError


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "P"])
@pytest.mark.parametrize(("size", "side"), [((100, 100), 64), ((90, 131), 64), ((20, 33), 128), ((64, 64), 64)])
def test_grey_equals_the_published_code(save: SaveImage, mode: str, size: tuple[int, int], side: int) -> None:
    path = save("a.png", mode, size)
    with Image.open(path) as image:
        expected = np.array(image.convert("L").resize((side, side), Image.Resampling.BILINEAR))
    result = Preprocessing(side)(read_image(path))
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, expected[None])


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_three_channels(save: SaveImage, mode: str) -> None:
    path = save("a.png", mode, (50, 41))
    with Image.open(path) as image:
        expected = np.array(image.convert("RGB").resize((32, 32), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(Preprocessing(32, 3)(read_image(path)), expected.transpose(2, 0, 1))


@pytest.mark.parametrize("channels", [1, 3])
def test_16_bits_are_resized_in_floating_point_and_rounded(channels: int) -> None:
    values = np.array(random_image("I;16", (90, 131)))
    smooth = Image.fromarray(values.astype(np.float32)).resize((64, 64), Image.Resampling.BILINEAR)
    result = Preprocessing(64, channels)(values)
    assert result.dtype == np.uint16 and result.shape == (channels, 64, 64)
    assert np.abs(result - np.array(smooth, dtype=np.float64)).max() <= 0.5


@given(st.sampled_from([np.uint8, np.uint16]), st.integers(0, 255), st.integers(1, 40), st.integers(1, 40))
def test_constant_images_stay_constant(dtype: type, value: int, height: int, width: int) -> None:
    image = np.full((height, width), value * (257 if dtype is np.uint16 else 1), dtype)
    assert (Preprocessing(16)(image) == image[0, 0]).all()


def test_8_and_16_bits_agree() -> None:
    image = np.array(random_image("L", (90, 131)))
    narrow, wide = Preprocessing(32)(image), Preprocessing(32)(widen(image))
    difference = np.abs(widen(narrow).astype(int) - wide.astype(int))
    assert difference.max() <= 257  # Pillow rounds 8 bits twice, once along each axis


def test_widening_is_exact() -> None:
    every = np.arange(256, dtype=np.uint8)
    np.testing.assert_allclose(widen(every) / 65535, every / 255, rtol=1e-15)
    assert widen(widen(every)).max() == 65535


def test_masks_take_the_nearest_pixel() -> None:
    image = np.zeros((8, 12), np.uint8)
    image[2:4, 3:6] = 1
    np.testing.assert_array_equal(Preprocessing(4).mask(image > 0), image[1::2, 1::3] > 0)


@pytest.mark.parametrize(("size", "channels", "option"), [(0, 1, "size=0"), (64, 2, "channels=2")])
def test_impossible_formats_name_the_option(size: int, channels: int, option: str) -> None:
    with pytest.raises(UserError, match=option):
        Preprocessing(size, channels)


SPACINGS = [None, (2.0, 1.0)]


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("fit", ["stretch", "pad", "crop"])
@pytest.mark.parametrize("shape", [(40, 96), (96, 40), (64, 64)])
def test_a_marked_corner_comes_back_where_it_was(
    fit: str, shape: tuple[int, int], spacing: tuple[float, float] | None
) -> None:
    image = np.full(shape, 20, np.uint8)
    height, width = shape
    top, left = (height * 3 // 8, width * 3 // 8) if fit == "crop" else (0, 0)  # of what is kept
    image[top : top + height // 8, left : left + width // 8] = 255
    preprocessing = Preprocessing(64, fit=fit)
    back = preprocessing.back(preprocessing(image, spacing)[0].astype(np.float32), shape, spacing)
    assert back.shape == shape
    kept = back > 20 if fit == "crop" else np.ones(shape, bool)
    assert ((back > 137) == (image > 137))[kept].mean() > 0.97
    assert back[top + height // 16, left + width // 16] > 200


def test_pad_and_crop_keep_the_aspect_ratio() -> None:
    disk = (np.hypot(*(np.mgrid[:40, :80] - np.array([20, 40]).reshape(2, 1, 1))) < 12).astype(np.uint8) * 255
    for fit in ("pad", "crop"):
        shown = Preprocessing(64, fit=fit)(disk)[0] > 127
        rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
        assert abs(np.ptp(rows) - np.ptp(columns)) <= 1
    flat = disk[::2]  # rows lie twice as far apart as columns
    shown = Preprocessing(64, fit="pad")(flat, (2.0, 1.0))[0] > 127
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    assert abs(np.ptp(rows) - np.ptp(columns)) <= 2


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_padding_is_black_and_16_bit_colour_becomes_grey(dtype: type) -> None:
    image = np.full((8, 16, 3), np.iinfo(dtype).max, dtype)
    padded = Preprocessing(16, fit="pad")(image)
    assert padded.dtype == dtype and not padded[0, [0, 3, 12, 15]].any() and (padded[0, 4:12] == image.max()).all()
