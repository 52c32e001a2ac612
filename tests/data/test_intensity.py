"""Every rule against a plain computation, and what no rule may do."""

import numpy as np
import pytest

from medad.data.intensity import Intensity, default_intensity
from medad.data.readers import Decoded
from medad.errors import OptionError

VALUES = np.arange(-500, 524, dtype=np.int16).reshape(32, 32)


def decoded(pixels: np.ndarray, format: str = "TIFF", **known: object) -> Decoded:
    return Decoded(pixels, format, "I;16", **known)  # type: ignore[arg-type]


def shown(rule: str, image: Decoded) -> np.ndarray:
    return Intensity.parse(rule)(image)[0]


def scaled(values: np.ndarray, low: float, high: float, white: int = 65535) -> np.ndarray:
    return np.rint(np.clip((values.astype(float) - low) / (high - low), 0, 1) * white)


@pytest.mark.parametrize(("dtype", "white"), [(np.uint8, 255), (np.uint16, 65535)])
@pytest.mark.parametrize("rule", ["dtype", "dicom", "ddad"])
def test_full_depth_stays_as_it_is(dtype: type, white: int, rule: str) -> None:
    pixels = np.random.default_rng(0).integers(0, white, (5, 4, 3)).astype(dtype)
    result, applied = Intensity.parse(rule)(decoded(pixels, white=white))
    assert result.dtype == dtype and applied == f"{8 * pixels.itemsize} bits as they are"
    np.testing.assert_array_equal(result, pixels)


def test_declared_depth_fills_16_bits() -> None:
    pixels = np.array([[0, 1, 2048, 4095]], np.uint16)
    np.testing.assert_array_equal(shown("dtype", decoded(pixels, white=4095)), scaled(pixels, 0, 4095))


def test_a_few_odd_pixels_do_not_stretch_signed_values_anew() -> None:
    odd = VALUES.copy()
    odd[0, 0] = -32768
    low, high = np.percentile(VALUES, (0.1, 99.9))
    plain = shown("dtype", decoded(VALUES))
    np.testing.assert_array_equal(plain, scaled(VALUES, low, high))
    changed = np.abs(plain.astype(int) - shown("dtype", decoded(odd)).astype(int))
    assert changed[1:].max() <= 65535 // 500


def test_rules_with_numbers() -> None:
    np.testing.assert_array_equal(shown("window -100 400", decoded(VALUES)), scaled(VALUES, -100, 400))
    low, high = np.percentile(VALUES, (5, 90))
    np.testing.assert_array_equal(shown("percentile 5 90", decoded(VALUES)), scaled(VALUES, low, high))
    np.testing.assert_array_equal(shown("file", decoded(VALUES)), scaled(VALUES, -500, 523))
    eight = np.array([[10, 20, 30]], np.uint8)
    np.testing.assert_array_equal(shown("file", decoded(eight, white=255)), [[0, 128, 255]])


@pytest.mark.parametrize("rule", ["dtype", "file", "window -500 523", "percentile 0 100"])
def test_inverted_and_padding(rule: str) -> None:
    padding = np.zeros(VALUES.shape, bool)
    padding[:, 0] = True
    values = VALUES.copy()
    values[padding] = -32768
    plain = shown(rule, decoded(values, padding=padding))
    turned = shown(rule, decoded(values, padding=padding, inverted=True))
    assert not plain[padding].any() and not turned[padding].any()
    np.testing.assert_array_equal(turned[~padding], 65535 - plain[~padding])
    nan = np.where(padding, np.nan, VALUES)
    np.testing.assert_array_equal(shown(rule, decoded(nan, padding=padding)), plain)


def test_one_range_for_all_frames() -> None:
    image = decoded(VALUES[:1], population=VALUES)
    np.testing.assert_array_equal(shown("file", image), scaled(VALUES[:1], -500, 523))


def test_the_file_says_how_it_is_shown() -> None:
    image = decoded(VALUES, display=lambda values: (values > 0).astype(float))
    assert set(np.unique(shown("dicom", image))) == {0, 65535}
    np.testing.assert_array_equal(shown("dtype", image), shown("dtype", decoded(VALUES)))


def test_the_published_preparation_of_dicom() -> None:
    result = shown("ddad", decoded(VALUES, "DICOM"))
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, ((VALUES + 500) / 1023 * 255).astype(np.uint8))
    turned = shown("ddad", decoded(VALUES, "DICOM", inverted=True))
    np.testing.assert_array_equal(turned, ((523 - VALUES) / 1023 * 255).astype(np.uint8))
    assert not shown("ddad", decoded(np.full((3, 3), 7, np.uint16), "DICOM")).any()
    assert default_intensity("paper") == "ddad" and default_intensity("standard") == "dicom"


@pytest.mark.parametrize("rule", ["dtype", "file", "percentile 1 99"])
def test_a_constant_image_is_black(rule: str) -> None:
    assert not shown(rule, decoded(np.full((3, 3), 7.5, np.float32))).any()


@pytest.mark.parametrize(
    "text", ["", "gamma", "window", "window 1", "window 5 5", "window a b", "window nan 1", "percentile -1 9", "file 3"]
)
def test_other_rules_are_refused(text: str) -> None:
    with pytest.raises(OptionError, match="intensity"):
        Intensity.parse(text)


@pytest.mark.parametrize("rule", ["dtype", "file", "percentile 0 100"])
def test_the_largest_numbers_there_are(rule: str) -> None:
    largest = np.finfo(np.float64).max
    image = decoded(np.linspace(-1, 1, 1024).reshape(32, 32) * largest)
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(shown(rule, image), shown(rule, decoded(image.pixels / largest)))
