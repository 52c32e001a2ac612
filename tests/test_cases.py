"""Files that users stumbled over: what they expect, from the files to the figures."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from image_files import write_png, write_tiff
from PIL import Image

from medad.cli.commands import main
from medad.data.finding import find_images
from medad.data.loading import Loaded, load_images
from medad.data.preprocessing import Preprocessing
from medad.data.repartition import Repartition
from medad.evaluation.scores import read_scores
from medad.workflows.options import TrainOptions
from medad.workflows.splits import read_splits

SIDE = 64
NATIVE = Preprocessing(SIDE)
SIDEWAYS = 6  # EXIF: stored turned to the left, every viewer turns it to the right


def picture(seed: int = 0, lesion: bool = False) -> np.ndarray:
    """An ellipse with texture, (64, 64) uint8, darker at the top than at the bottom."""
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    texture = np.random.default_rng(seed).random((8, 8)).repeat(8, 0).repeat(8, 1)
    value = ((x / 0.7) ** 2 + (y / 0.85) ** 2 < 1) * (70 + 25 * (y + 1) + 40 * texture)
    return np.where(lesion & lesion_mask(), 230, value).astype(np.uint8)


def lesion_mask() -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE]
    return (y - 20) ** 2 + (x - 42) ** 2 < 6**2


def save(array: np.ndarray, path: Path, **options: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)


def load(folder: Path) -> dict[str, np.ndarray]:
    """Return the images in a folder by name, as a detector sees them."""
    images = loaded(folder).images
    return {id: pixels[0].astype(int) for id, pixels in zip(images.ids, images.pixels, strict=True)}


def loaded(folder: Path) -> Loaded:
    return load_images(find_images([folder]).entries, NATIVE)


def test_white_is_zero_of_any_depth_shows_the_same_picture(tmp_path: Path) -> None:
    seen = picture()
    wide = seen.astype("<u2") * 257
    save(seen, tmp_path / "as_seen.png")
    write_tiff(tmp_path / "8.tif", 255 - seen, 0)
    write_tiff(tmp_path / "16.tif", 65535 - wide, 0)
    write_tiff(tmp_path / "16_big_endian.tif", (65535 - wide).astype(">u2"), 0)
    for image in load(tmp_path).values():
        np.testing.assert_array_equal(image, wide)
    stretched = tmp_path / "float"  # without a white of their own
    stretched.mkdir()
    write_tiff(stretched / "black_is_zero.tif", (seen / 255).astype("<f4"), 1)
    write_tiff(stretched / "white_is_zero.tif", (1 - seen / 255).astype("<f4"), 0)
    black, white = load(stretched).values()
    assert np.abs(black - white).max() <= 1


def test_one_odd_pixel_does_not_change_a_signed_image(tmp_path: Path) -> None:
    hounsfield = picture().astype("<i2") * 6
    for corner in (0, -1, -1024):
        hounsfield[0, 0] = corner
        write_tiff(tmp_path / f"{-corner:04}.tif", hounsfield, 1)
    first, *others = load(tmp_path).values()
    for other in others:
        assert np.abs(first - other).max() <= 65535 / 255
    told = "intensity: 3 TIFF, 16 bits: from the 0.1 to the 99.9 percentile, as int16 has no white"
    assert told in loaded(tmp_path).notes


@pytest.mark.parametrize("order", ["one", "other"])
def test_two_depths_are_scaled_by_file_and_the_dark_one_is_named(tmp_path: Path, order: str) -> None:
    full, shallow = ("a.png", "b.png") if order == "one" else ("b.png", "a.png")
    wide, narrow = picture().astype(np.uint16) * 257, picture().astype(np.uint16) * 16
    write_png(tmp_path / full, wide)
    write_png(tmp_path / shallow, narrow)
    images = load(tmp_path)
    np.testing.assert_array_equal(images[full], wide)
    np.testing.assert_array_equal(images[shallow], narrow)
    (note,) = (note for note in loaded(tmp_path).notes if "stay dark" in note)
    assert note.startswith(f"1 of 2 16-bit images use no more than 12 bits and stay dark (first: {shallow})")
    by_file = load_images(find_images([tmp_path]).entries, Preprocessing(SIDE, intensity="file")).images.pixels
    assert np.abs(by_file[0].astype(int) - by_file[1]).max() <= 65535 / 2000
    write_png(tmp_path / shallow, narrow, {b"sBIT": bytes([12])})  # with its depth declared
    assert np.abs(load(tmp_path)[shallow] - narrow * (65535 / 4095)).max() <= 0.5


@pytest.mark.parametrize("name", ["a.tif", "a.png"])
@pytest.mark.parametrize("channels", [2, 3, 4])
def test_colour_of_16_bits_loses_none(tmp_path: Path, name: str, channels: int) -> None:
    deep = picture().astype("<u2") * 16 + 3
    opaque = [np.full_like(deep, 65535)] * (channels % 2 == 0)
    rows = np.dstack([deep] * (channels - len(opaque)) + opaque)
    if name == "a.png":
        write_png(tmp_path / name, rows)
    else:
        write_tiff(tmp_path / name, rows, 1 if channels == 2 else 2, {338: [2]} if opaque else None)
    np.testing.assert_array_equal(load(tmp_path)[name], deep)


def test_valid_tiffs_are_read_or_refused_with_the_true_reason(tmp_path: Path) -> None:
    values = picture() / 255
    write_tiff(tmp_path / "f2.tif", values.astype("<f2"), 1)
    write_tiff(tmp_path / "f8.tif", values.astype("<f8"), 1)
    write_tiff(tmp_path / "four.tif", np.dstack([picture()] * 4), 1)
    half, double = load(tmp_path).values()
    low, high = np.percentile(values, (0.1, 99.9))
    expected = np.clip((values - low) / (high - low), 0, 1) * 65535
    assert np.abs(double - expected).max() <= 0.51 and np.abs(half - expected).max() <= 65535 / 1000
    (failure,) = loaded(tmp_path).failures
    assert failure.path.name == "four.tif" and "4 channels are said to be grey" in failure.reason


def write_upright(array: np.ndarray, path: Path) -> None:
    save(array, path)


def write_sideways(array: np.ndarray, path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = SIDEWAYS
    save(np.rot90(array), path, exif=exif)


Write = Callable[[np.ndarray, Path], None]


def mvtec(folder: Path, write: Write, mask: str = "{:03d}_mask.png") -> Path:
    """Write images of 64 x 48 pixels with masks in the folders of MVTec AD."""
    for i in range(4):
        write(picture(i)[:, 8:56], folder / f"train/good/{i:03d}.png")
        write(picture(10 + i)[:, 8:56], folder / f"test/good/{i:03d}.png")
        write(picture(20 + i, lesion=True)[:, 8:56], folder / f"test/lesion/{i:03d}.png")
        save(lesion_mask()[:, 8:56], folder / "ground_truth/lesion" / mask.format(i))
    return folder


def evaluate(run: Path, data: Path, out: Path) -> dict[str, object]:
    assert main(["evaluate", str(run), str(data), "--out", str(out), "--device", "cpu"]) == 0
    return json.loads((out / "metrics.json").read_text())


def test_turned_images_have_the_figures_of_upright_ones(finished: Path, tmp_path: Path, undrawn: None) -> None:
    upright, sideways = mvtec(tmp_path / "upright", write_upright), mvtec(tmp_path / "sideways", write_sideways)
    assert Image.open(sideways / "train/good/000.png").size == (64, 48)
    expected = evaluate(finished, upright, tmp_path / "a")
    found = evaluate(finished, sideways, tmp_path / "b")
    assert found["pixel"] == expected["pixel"] and found["pixel"] and found["image"] == expected["image"]


def test_a_marked_corner_comes_back_where_it_was(finished: Path, tmp_path: Path) -> None:
    marked = picture()[:, 8:56] // 2
    marked[:8, :8] = 255
    stored = np.ascontiguousarray(np.rot90(marked))
    write_upright(marked, tmp_path / "in/upright.png")
    write_sideways(marked, tmp_path / "in/sideways.png")
    write_tiff(tmp_path / "in/8.tif", stored, 1, {274: SIDEWAYS})
    write_tiff(tmp_path / "in/16.tif", stored.astype("<u2") * 257, 1, {274: SIDEWAYS})
    write_tiff(tmp_path / "in/rgb16.tif", np.dstack([stored.astype("<u2") * 257] * 3), 2, {274: SIDEWAYS})
    write_tiff(tmp_path / "in/float.tif", (stored / 255).astype("<f8"), 1, {274: SIDEWAYS})
    assert (
        main(["predict", str(finished), str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--device", "cpu"]) == 0
    )
    drawn = {file.name: np.asarray(Image.open(file), int) for file in (tmp_path / "out/heatmaps").iterdir()}
    assert len(drawn) == 6
    for image in drawn.values():
        assert image.shape == (64, 48, 3)
        corners = [image[:8, :8], image[:8, -8:], image[-8:, :8], image[-8:, -8:]]
        assert np.argmax([corner.mean() for corner in corners]) == 0
    np.testing.assert_array_equal(drawn["sideways.png.png"], drawn["upright.png.png"])
    table = read_scores(tmp_path / "out/scores.csv")
    scores = dict(zip(table.image_path, table.columns["pred_score"], strict=True))
    assert scores["sideways.png"] == scores["upright.png"] == pytest.approx(scores["8.tif"])


@pytest.mark.parametrize("mask", ["{:03d}.png", "{:03d}_mask.PNG", "{:03d}_mask.bmp", "{:03d}_MASK.tif"])
def test_masks_are_found(tmp_path: Path, mask: str) -> None:
    masks = load_images(Repartition.read(mvtec(tmp_path, write_upright, mask)).test, NATIVE).images.masks
    assert masks is not None
    expected = NATIVE.mask(lesion_mask()[:, 8:56])
    np.testing.assert_array_equal(masks[4:], [expected] * 4)
    assert not masks[:4].any()


def test_masks_that_are_not_found_are_missed_aloud(
    finished: Path, tmp_path: Path, undrawn: None, capsys: pytest.CaptureFixture[str]
) -> None:
    metrics = evaluate(finished, mvtec(tmp_path / "data", write_upright, "m{}.png"), tmp_path / "out")
    told = capsys.readouterr().err
    assert not metrics["pixel"] and "masks were found for 0 of 4 abnormal images, not for test/lesion/000.png" in told
    assert "4 masks belong to no test image (first: ground_truth/lesion/m0.png)" in told


def manifest(folder: Path, separator: str) -> Path:
    """Write 16 images of 12 patients, four of whom are among the normal and the test images."""
    lines = ["path;split;label;kind;patient;mask"]
    for i in range(16):
        abnormal = i >= 12
        save(picture(i, abnormal), folder / f"images/{i}.png")
        mask = f"masks/{i}.png" if abnormal else ""
        if abnormal:
            save(lesion_mask(), folder / mask)
        split, kind = "normal" if i < 8 else "test", "lesion" if abnormal else "normal"
        lines.append(f"images/{i}.png;{split};{int(abnormal)};{kind};P{i % 12};{mask}")
    (folder / "manifest.csv").write_text("\n".join(lines).replace(";", separator) + "\n")
    return folder


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_manifest_with_any_separator(tmp_path: Path, separator: str) -> None:
    who = Repartition.read(manifest(tmp_path, separator))
    assert len(who.normal) == len(who.test) == 8 and who.notes == ()
    images = load_images(who.test, NATIVE).images
    assert images.masks is not None and images.patients == ("P8", "P9", "P10", "P11", "P0", "P1", "P2", "P3")
    assert {entry.patient for entry in who.normal} & set(images.patients) == {"P0", "P1", "P2", "P3"}


def test_a_manifest_beside_a_list_is_not_passed_over_in_silence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"{i}.png" for i in range(16)]
    lists = {"train": {"0": names[:8], "unlabeled": {"0": [], "1": []}}, "test": {"0": names[8:12], "1": names[12:]}}
    (manifest(tmp_path, ";") / "data.json").write_text(json.dumps(lists))
    assert load_images(Repartition.read(tmp_path).test, NATIVE).images.masks is not None
    (tmp_path / "manifest.csv").write_text((tmp_path / "manifest.csv").read_text().replace("split", "part"))
    read_splits(tmp_path, None, TrainOptions())
    told = capsys.readouterr().err
    assert "manifest.csv: the first line must name the columns path and split" in told and "not taken from it" in told


def test_thumbnails_of_a_network_drive_double_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for i in range(8):
        save(picture(i), tmp_path / f"normal/{i}.png")
        save(picture(i)[::2, ::2], tmp_path / f"normal/@eaDir/{i}.png/SYNOPHOTO_THUMB_M.png")
    assert len(read_splits(tmp_path, None, TrainOptions()).normal) == 8
    assert "8 files in folders that systems keep for themselves are passed over" in capsys.readouterr().err
    assert len(find_images([tmp_path]).entries) == 8
