"""Resizing against Pillow, 16 bits against 8, masks by the nearest pixel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_files import SaveImage, random_image
from PIL import Image

from medad.data.preprocessing import Preprocessing, widen
from medad.data.readers import read_image
from medad.errors import UserError


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA", "P"])
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
    np.testing.assert_array_equal(Preprocessing(4).mask(image), image[1::2, 1::3] > 0)
    np.testing.assert_array_equal(
        Preprocessing(4).mask(np.dstack([image * 0, image, image * 0])), image[1::2, 1::3] > 0
    )


@pytest.mark.parametrize(("size", "channels", "option"), [(0, 1, "size=0"), (64, 2, "channels=2")])
def test_impossible_formats_name_the_option(size: int, channels: int, option: str) -> None:
    with pytest.raises(UserError, match=option):
        Preprocessing(size, channels)
