"""Files to image sets: order, labels, masks, notes and failures."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from image_files import SaveImage
from PIL import Image

from medad.data import loading
from medad.data.entries import Entry
from medad.data.finding import find_images
from medad.data.loading import Failure, load_images, load_or_fail
from medad.data.parallel import parallel_map
from medad.data.preprocessing import Preprocessing
from medad.data.shown import read_image
from medad.errors import UserError

SMALL = Preprocessing(16)


def entries_of(*paths: Path, **known: object) -> list[Entry]:
    return [replace(entry, **known) for entry in find_images(paths).entries]


def test_images_arrive_in_order_with_what_is_known(save: SaveImage) -> None:
    paths = [save(f"{i:03d}.png", size=(20, 20), seed=i) for i in range(70)]
    entries = [
        Entry(path.name, path, label=i % 2, kind="cyst" if i % 2 else "", patient=f"p{i}")
        for i, path in enumerate(paths)
    ]
    loaded = load_images(entries, SMALL, jobs=3)
    images = loaded.images
    np.testing.assert_array_equal(images.pixels, [SMALL(read_image(path)) for path in paths])
    assert images.ids == tuple(path.name for path in paths) and images.paths == tuple(map(str, paths))
    assert images.labels is not None and images.labels.dtype == np.int8
    assert images.labels.tolist() == [0, 1] * 35
    assert images.kinds == ("", "cyst") * 35 and images.patients == tuple(f"p{i}" for i in range(70))
    assert images.masks is None and loaded.failures == () and loaded.notes == ()


def test_what_is_unknown_is_none(save: SaveImage) -> None:
    first, second = save("a.png"), save("b.png")
    images = load_images([Entry("a.png", first, label=0), Entry("b.png", second)], SMALL).images
    assert images.labels is images.kinds is images.patients is images.masks is None


def test_one_16_bit_image_makes_the_set_16_bit(save: SaveImage) -> None:
    paths = [save("a.png", seed=1), save("b.png", "I;16"), save("c.png", seed=2)]
    loaded = load_images(entries_of(*paths), SMALL)
    assert loaded.images.pixels.dtype == np.uint16
    for row, path in enumerate(paths):
        image = SMALL(read_image(path))
        np.testing.assert_array_equal(loaded.images.pixels[row], image.astype(int) * (1 if row == 1 else 257))
    assert "mixed modes: 2 L, 1 I;16, converted to grey" in loaded.notes


def test_notes_count_what_was_converted(save: SaveImage, tmp_path: Path) -> None:
    paths = [save("a.png", "RGB", (12, 9)), save("b.png", size=(12, 9)), save("c.png"), save("d.tif", "F")]
    Image.new("L", (9, 9), 77).save(tmp_path / "e.png")
    assert load_images(entries_of(*paths, tmp_path / "e.png"), SMALL).notes == (
        "mixed modes: 3 L, 1 RGB, 1 F, converted to grey",
        "mixed sizes: 2 different, most often 9 x 9 (3 of 5)",
        "2 of 5 images are not square and were stretched",
        "intensity: 4 PNG, 8 bits: 8 bits as they are; "
        "1 TIFF, 32 bits: from the 0.1 to the 99.9 percentile, as float32 has no white",
        "constant images: 1 (first: e.png)",
    )


def wide(path: Path, peak: int) -> Path:
    Image.fromarray(np.linspace(0, peak, 81).reshape(9, 9).astype(np.uint16)).save(path)
    return path


@pytest.mark.parametrize(("peak", "bits"), [(4095, 12), (3000, 12), (16383, 14)])
def test_12_bits_in_16_bit_files_are_noticed(tmp_path: Path, peak: int, bits: int) -> None:
    paths = [wide(tmp_path / "a.png", peak), wide(tmp_path / "b.png", 1000)]
    Image.fromarray(np.eye(9, dtype=np.uint8) * 255).save(tmp_path / "c.png")
    for chosen in (paths, [*paths, tmp_path / "c.png"]):
        note = load_images(entries_of(*chosen), SMALL).notes[-1]
        assert note.startswith(f"2 of 2 16-bit images use no more than {bits} bits and stay dark (first: a.png)")


def test_values_that_reach_a_quarter_are_no_matter(tmp_path: Path) -> None:
    assert load_images(entries_of(wide(tmp_path / "a.png", 16384)), SMALL).notes == ()


def test_unreadable_files_are_listed_and_the_others_loaded(save: SaveImage, tmp_path: Path) -> None:
    (tmp_path / "b.png").touch()
    paths = [save("a.png"), tmp_path / "b.png", save("c.png", seed=1), tmp_path / "missing.png"]
    loaded = load_images(entries_of(*paths, label=1), SMALL)
    assert loaded.images.ids == ("a.png", "c.png") and len(loaded.images.labels) == 2
    np.testing.assert_array_equal(loaded.images.pixels[1], SMALL(read_image(paths[2])))
    assert loaded.failures == (
        Failure(paths[1], "the file is empty"),
        Failure(paths[3], "No such file or directory"),
    )
    with pytest.raises(UserError, match=r"normal images: .*b\.png: the file is empty \(and 1 more of 4\)"):
        load_or_fail(entries_of(*paths), SMALL, "normal images")


@pytest.mark.filterwarnings("error")
def test_pillows_warnings_are_kept_back(tmp_path: Path) -> None:
    palette = Image.new("P", (9, 9))
    palette.putpalette(range(9))
    palette.save(tmp_path / "a.png", transparency=bytes([0, 128, 255]))
    assert load_images(entries_of(tmp_path / "a.png"), SMALL, cache=False).failures == ()


def test_loading_when_every_file_is_needed(save: SaveImage) -> None:
    assert len(load_or_fail(entries_of(save("a.png")), SMALL, "normal images").images) == 1


@pytest.mark.parametrize("channels", [1, 3])
def test_nothing_readable_and_nothing_asked_for(tmp_path: Path, channels: int) -> None:
    loaded = load_images(entries_of(tmp_path / "missing.png"), Preprocessing(16, channels))
    assert loaded.images.pixels.shape == (0, channels, 16, 16) and len(loaded.failures) == 1
    assert load_images([], Preprocessing(16, channels)).images.pixels.shape == (0, channels, 16, 16)


@pytest.fixture
def masked(save: SaveImage) -> list[Entry]:
    """Return an abnormal image with a mask and a normal one without."""
    mask = save("mask.png", "1", (33, 20))
    return [
        Entry("a.png", save("a.png", size=(33, 20)), label=1, mask=mask),
        Entry("b.png", save("b.png"), label=0),
    ]


def test_masks_of_normal_images_are_empty(masked: list[Entry]) -> None:
    images = load_images(masked, SMALL).images
    assert images.masks is not None and masked[0].mask is not None
    assert images.masks.dtype == bool and images.masks.shape == (2, 16, 16)
    np.testing.assert_array_equal(images.masks[0], SMALL.mask(read_image(masked[0].mask)))
    assert images.masks[0].any() and not images.masks[1].any()


@pytest.mark.parametrize("label", [1, None])
def test_no_mask_is_invented(masked: list[Entry], label: int | None) -> None:
    loaded = load_images([masked[0], replace(masked[1], label=label)], SMALL)
    assert loaded.images.masks is None
    assert loaded.notes[-1] == "1 abnormal images have no mask: pixel metrics are left out"


@pytest.mark.parametrize("again", [False, True])
def test_a_mask_of_another_size_is_named(masked: list[Entry], save: SaveImage, again: bool) -> None:
    if again:  # from the cache
        load_images(masked, SMALL)
    save("mask.png", "1", (20, 33))
    with pytest.raises(UserError, match=r"mask .*mask\.png: 20 x 33 pixels, its image has 33 x 20"):
        load_images([Entry("broken.png", Path("broken.png")), *masked], SMALL)


def test_masks_stay_with_their_images(masked: list[Entry], tmp_path: Path) -> None:
    broken = Entry("broken.png", tmp_path / "broken.png", label=1)
    images = load_images([broken, masked[1], masked[0]], SMALL).images
    assert images.masks is not None
    assert images.ids == ("b.png", "a.png") and [mask.any() for mask in images.masks] == [False, True]


def test_an_unreadable_mask_is_an_error(masked: list[Entry], tmp_path: Path) -> None:
    (tmp_path / "mask.png").write_bytes(b"no mask")
    with pytest.raises(UserError, match=r"mask .*mask\.png: not an image"):
        load_images(masked, SMALL)


def test_interrupting_stops_the_work() -> None:
    done = []

    def work(item: int) -> int:
        time.sleep(0.001)  # long enough that the main thread is heard long before the end
        done.append(item)
        return item

    with pytest.raises(KeyboardInterrupt):
        for _ in parallel_map(work, range(10_000), "working", jobs=1):
            raise KeyboardInterrupt
    assert len(done) < 10_000


def test_labels_are_not_read_from_the_cache(save: SaveImage, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save("a.png")
    load_images(entries_of(path, label=0), SMALL)
    monkeypatch.setattr(loading, "decode", None)  # nothing is decoded again
    labels = load_images(entries_of(path, label=1), SMALL).images.labels
    assert labels is not None and labels.tolist() == [1]
