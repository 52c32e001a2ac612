"""Which pixels a mask marks, and what becomes of masks that do not fit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from image_files import write_tiff
from PIL import Image, ImageFilter

from medad.data.entries import Entry
from medad.data.loading import Loaded, load_images
from medad.data.masks import region
from medad.data.preprocessing import Preprocessing
from medad.data.readers import decode
from medad.errors import UserError

SHOWN = Preprocessing(32)


def disc(height: int = 32, width: int = 32) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return (y - 9) ** 2 + (x - 20) ** 2 < 6**2


def drawn(path: Path, array: np.ndarray, **options: object) -> Path:
    Image.fromarray(array).save(path, **options)
    return path


@pytest.mark.parametrize("white", [1, 4, 128, 255])
@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif", "a.gif"])
def test_labels_are_what_is_above_0(tmp_path: Path, name: str, white: int) -> None:
    mask = decode(drawn(tmp_path / name, disc().astype(np.uint8) * white))
    np.testing.assert_array_equal(region(mask), disc())


def test_many_regions_with_a_label_each(tmp_path: Path) -> None:
    labels = np.arange(32 * 32, dtype=np.uint8).reshape(32, 32) % 100 * disc()
    np.testing.assert_array_equal(region(decode(drawn(tmp_path / "a.png", labels))), labels > 0)
    np.testing.assert_array_equal(region(decode(drawn(tmp_path / "b.tif", labels.astype(np.uint16)))), labels > 0)


def test_soft_edges_and_traces_of_compression_count_from_half(tmp_path: Path) -> None:
    white = Image.fromarray(disc().astype(np.uint8) * 255)
    soft = white.resize((256, 256), Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(4))
    soft.save(tmp_path / "soft.png")
    levels = np.array(soft)
    assert len(np.unique(levels)) > 100
    np.testing.assert_array_equal(region(decode(tmp_path / "soft.png")), levels > 127.5)
    values = (levels / 255).astype(np.float32)
    np.testing.assert_array_equal(region(decode(drawn(tmp_path / "soft.tif", values))), values > values.max() / 2)
    white.save(tmp_path / "a.jpg", quality=60)
    assert (np.array(Image.open(tmp_path / "a.jpg")) > 0).sum() > 1.3 * disc().sum()
    assert (region(decode(tmp_path / "a.jpg")) != disc()).mean() < 0.01


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_mask_in_which_white_is_zero(tmp_path: Path, dtype: type) -> None:
    white = np.iinfo(dtype).max
    write_tiff(tmp_path / "a.tif", (white - disc().astype(dtype) * white).astype(dtype), photometric=0)
    np.testing.assert_array_equal(region(decode(tmp_path / "a.tif")), disc())


def test_a_region_in_colour_or_on_transparent_ground(tmp_path: Path) -> None:
    colours = np.dstack([disc() * np.uint8(200), *[np.zeros((32, 32), np.uint8)] * 2])
    np.testing.assert_array_equal(region(decode(drawn(tmp_path / "a.png", colours))), disc())
    ground = np.dstack([np.full((32, 32, 3), 255, np.uint8), disc() * np.uint8(255)])
    np.testing.assert_array_equal(region(decode(drawn(tmp_path / "b.png", ground))), disc())


def load(folder: Path, mask: np.ndarray, orientation: int = 1, count: int = 1, **options: object) -> Loaded:
    """Load images of 20 x 30 pixels as they are stored, each with the mask."""
    exif = Image.Exif()
    exif[274] = orientation
    path = drawn(folder / "image.jpg", np.tile(np.arange(30, dtype=np.uint8), (20, 1)), exif=exif)
    entry = Entry("0.jpg", path, 1, mask=drawn(folder / "mask.png", mask, **options))
    return load_images([replace(entry, id=f"{number}.jpg") for number in range(count)], SHOWN)


def shown(mask: np.ndarray) -> np.ndarray:
    return SHOWN.mask(mask)


def test_a_mask_fits_its_image_as_it_is_shown(tmp_path: Path) -> None:
    loaded = load(tmp_path, disc(30, 20), orientation=6)
    np.testing.assert_array_equal(loaded.images.masks, shown(disc(30, 20))[None])
    assert not any("masks" in note for note in loaded.notes)


@pytest.mark.parametrize(("orientation", "turns"), [(6, -1), (8, 1)])
def test_a_mask_that_fits_its_image_as_it_is_stored_is_turned_with_it(
    tmp_path: Path, orientation: int, turns: int
) -> None:
    loaded = load(tmp_path, disc(20, 30), orientation, count=2)
    np.testing.assert_array_equal(loaded.images.masks, [shown(np.rot90(disc(20, 30), turns))] * 2)
    told = "2 of 2 masks are as large as their images are stored, and were turned with them as EXIF says (first: 0.jpg)"
    assert told in loaded.notes


def test_exif_of_the_mask_itself(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    loaded = load(tmp_path, disc(20, 30), orientation=6, exif=exif)
    np.testing.assert_array_equal(loaded.images.masks, [shown(np.rot90(disc(20, 30), -1))])
    assert not any("masks" in note for note in loaded.notes)


def test_masks_of_another_size_are_counted(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"mask.png: 31 x 20 pixels, its image has 30 x 20: .*\(and 2 more of 3 masks"):
        load(tmp_path, disc(20, 31), count=3)
    with pytest.raises(UserError, match="20 x 30 pixels, its image has 30 x 20: draw it at the size of the image$"):
        load(tmp_path, disc(30, 20), orientation=3)


def test_masks_in_which_nothing_is_to_be_seen_are_counted(tmp_path: Path) -> None:
    black = load(tmp_path, np.zeros((20, 30), bool), count=2)
    assert "2 of 2 masks of abnormal images are all black (first: 0.jpg)" in black.notes
    path = drawn(tmp_path / "large.png", np.tile(np.arange(200, dtype=np.uint8), (200, 1)))
    dot = np.zeros((200, 200), bool)
    dot[0, 0] = True
    loaded = load_images([Entry("a.png", path, 1, mask=drawn(tmp_path / "dot.png", dot))], SHOWN)
    told = "1 of 1 masks of abnormal images mark too little to be seen at 32 x 32 pixels (first: a.png)"
    assert told in loaded.notes
