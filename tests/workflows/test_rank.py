"""``medad rank``: an archive sorted by models that have not seen its images, and the run that is kept."""

import shutil

import numpy as np
import pytest
from helpers import make_images
from PIL import Image

from medad.cli.commands import main
from medad.data.pixel_file import PixelFile
from medad.detectors.registry import load_detector
from medad.evaluation.scores import read_scores
from medad.ownership import MARKER

QUICK = ("--preset", "tiny", "--device", "cpu", "--jobs", "1", "--options.extractor", "pixels")


def rank(archive, normal, out, *options):
    return main(["rank", str(archive), "--normal", str(normal), "--out", str(out), *QUICK, *options])


def put(folder, count, seed, bright=0):
    """Write generated images; the first `bright` of them have a patch that no other has."""
    folder.mkdir(exist_ok=True)
    for i, pixels in enumerate(make_images(count, seed=seed).pixels[:, 0]):
        if i < bright:
            pixels[8:24, 8:24] = 255
        Image.fromarray(pixels).save(folder / f"{i:02}.png")
    return folder


@pytest.fixture(scope="module")
def pools(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pools")
    return put(folder / "archive", 24, 1, bright=20), put(folder / "normal", 24, 2)


@pytest.fixture(scope="module")
def listed(pools, tmp_path_factory):
    out = tmp_path_factory.mktemp("ranked")
    assert rank(*pools, out, "--heatmaps", "5", "--options.holdout", "0.2") == 0
    return out


def test_what_only_the_archive_has_comes_first(listed):
    table = read_scores(listed / "scores.csv")
    assert len(table) == 24 and (np.diff(table.columns["pred_score"]) <= 0).all()
    assert {int(name[:2]) for name in table.image_path[:12]} <= set(range(20))
    assert table.gt_label is None and table.p_value is not None and set(table.pred_label) <= {0, 1}


def test_pictures_are_drawn_of_the_first_only(listed):
    first = read_scores(listed / "scores.csv").image_path[:5]
    assert {p.name for p in (listed / "worklist").iterdir()} == {f"{name}.jpg" for name in first}
    page = (listed / "worklist.html").read_text()
    assert page.count("not drawn: only the first 5 are (--heatmaps)") == 19


def test_nothing_else_is_left_in_the_folder(listed):
    there = {p.name for p in listed.iterdir()}
    pictures = {"heatmaps", "contact_sheet.png"} if (listed / "heatmaps").exists() else set()
    assert there == {MARKER, "scores.csv", "worklist.html", "worklist", "run"} | pictures


def test_the_page_says_what_the_order_rests_on(listed):
    page = (listed / "worklist.html").read_text()
    assert "The archive differs from the normal images: shown one of each" in page
    assert "of 100 cases (AUC_u " in page and "medad audit" in page and "held out from training" in page


def test_the_run_that_is_kept_scores_the_archive_alike_and_new_images_too(listed, pools, tmp_path):
    detector = load_detector(listed / "run", device="cpu", jobs=1)
    assert detector.has_unlabeled_ and detector.auc_u_[1] > 0.5
    assert main(["predict", str(listed / "run"), str(pools[0]), "--out", str(tmp_path), "--device", "cpu"]) == 0
    ours, theirs = read_scores(listed / "scores.csv"), read_scores(tmp_path / "scores.csv")
    rows = [dict(zip(t.image_path, t.columns["pred_score"], strict=True)) for t in (ours, theirs)]
    assert rows[0] == pytest.approx(rows[1], abs=1e-5)


def test_a_second_ranking_replaces_the_first_and_finds_no_images_in_it(listed, pools, tmp_path):
    out = shutil.copytree(listed, tmp_path / "archive" / "out")
    shutil.copytree(pools[0], tmp_path / "archive", dirs_exist_ok=True)
    assert rank(tmp_path / "archive", pools[1], out, "--heatmaps", "0") == 0
    assert len(read_scores(out / "scores.csv")) == 24
    assert not (out / "worklist").exists() and (out / "run" / "run.yaml").exists()


def test_normal_images_in_the_archive_are_listed_and_not_learned_from(pools, tmp_path, capsys):
    archive = shutil.copytree(pools[0], tmp_path / "archive")
    for i in range(6):
        shutil.copy(pools[1] / f"{i:02}.png", archive / f"n{i}.png")
    assert rank(archive, pools[1], tmp_path / "out", "--heatmaps", "0") == 0
    said = "6 of the 30 images of the archive are among the normal ones"
    assert said in capsys.readouterr().err and said in (tmp_path / "out" / "worklist.html").read_text()
    table = read_scores(tmp_path / "out" / "scores.csv")
    assert len(table) == 30
    assert "images: 24" in (tmp_path / "out" / "run" / "run.yaml").read_text()
    assert {name for name in table.image_path if name.startswith("n")}.isdisjoint(table.image_path[:3])


def test_hidden_normal_images_say_how_many_of_the_list_are_normal(tmp_path, capsys):
    archive, normal = put(tmp_path / "archive", 40, 1, bright=20), put(tmp_path / "normal", 60, 2)
    shutil.copy(normal / "00.png", archive / "copy.png")
    assert rank(archive, normal, tmp_path / "out", "--heatmaps", "0", "--adadetect") == 0
    table = read_scores(tmp_path / "out" / "scores.csv")
    assert len(table) == 41 and not any("hidden" in name for name in table.image_path)
    detector = load_detector(tmp_path / "out" / "run", device="cpu", jobs=1)
    hidden = detector.seen_["trained"].numpy()
    assert len(hidden) == 100  # half of the normal images as unlabeled ones; the copy counts once
    page = (tmp_path / "out" / "worklist.html").read_text()
    assert "chosen on 30 normal images hidden among the images of the archive" in page
    assert "30 normal images are hidden in the archive, so the figure is lower than without" in page
    assert np.allclose(table.p_value * 31, np.round(table.p_value * 31))  # of 30 hidden ones and the image itself
    assert not (tmp_path / "out" / "mixed.npy").exists()


@pytest.mark.parametrize(("count", "method", "said"), [(20, "nu", "give 38"), (60, "mahalanobis", "such as nu")])
def test_what_cannot_hide_is_refused(tmp_path, capsys, count, method, said):
    archive, normal = put(tmp_path / "archive", 24, 1, bright=20), put(tmp_path / "normal", count, 2)
    assert rank(archive, normal, tmp_path / "out", "--adadetect", "--method", method) == 2
    error = capsys.readouterr().err
    assert said in error and "--adadetect" in error


def test_an_archive_of_normal_images_alone(pools, tmp_path, capsys):
    assert rank(pools[1], pools[1], tmp_path / "out", "--heatmaps", "0") == 0
    said = capsys.readouterr().err
    assert "there is nothing to learn" in said and "24 of the 24 images" in said
    assert len(read_scores(tmp_path / "out" / "scores.csv")) == 24


def test_pools_of_one_kind_leave_nothing_to_learn(tmp_path, capsys):
    normal = put(tmp_path / "normal", 20, 3)
    archive = put(tmp_path / "archive", 20, 4)
    assert rank(archive, normal, tmp_path / "out", "--heatmaps", "0") == 0
    said = capsys.readouterr().err
    assert "The archive cannot be told from the normal images (AUC_u " in said and "the order says little" in said


def test_files_that_cannot_be_read_are_listed(pools, tmp_path, capsys):
    archive, normal = (shutil.copytree(pool, tmp_path / pool.name) for pool in pools)
    (archive / "bad.png").write_bytes(b"")
    (normal / "broken.png").write_bytes(b"no image")
    assert rank(archive, normal, tmp_path / "out", "--heatmaps", "0") == 1
    failed = (tmp_path / "out" / "failed.csv").read_text()
    assert "bad.png" in failed and "broken.png" in failed
    assert "2 files cannot be read" in capsys.readouterr().err


def test_fewer_normal_images_than_folds(pools, tmp_path, capsys):
    normal = put(tmp_path / "normal", 3, 5)
    assert rank(pools[0], normal, tmp_path / "out", "--heatmaps", "0") == 0
    assert "AUC_u" in capsys.readouterr().err


def test_a_method_that_does_not_learn_from_the_archive_says_so(pools, tmp_path, capsys):
    assert rank(*pools, tmp_path / "out", "--heatmaps", "0", "--method", "mahalanobis") == 0
    assert "mahalanobis learns from the normal images alone" in capsys.readouterr().err


@pytest.mark.parametrize("fault", ["no_archive", "empty", "unreadable", "no_normal", "one_normal", "bad_normal"])
def test_bad_input_is_told_in_one_line(fault, pools, tmp_path, capsys):
    archive, normal = pools
    if fault == "no_archive":
        archive = tmp_path / "nowhere"
    elif fault == "empty":
        archive = tmp_path / "empty"
        archive.mkdir()
    elif fault == "unreadable":
        archive = tmp_path / "unreadable"
        archive.mkdir()
        (archive / "a.png").write_bytes(b"")
    elif fault == "no_normal":
        normal = tmp_path / "missing"
    elif fault == "one_normal":
        normal = put(tmp_path / "one", 1, 6)
    else:
        normal = tmp_path / "broken"
        normal.mkdir()
        (normal / "a.png").write_bytes(b"")
    said = {
        "no_archive": "nowhere: no such file or folder",
        "empty": "empty: no files found: give images or folders of images",
        "unreadable": "1 files cannot be read",
        "no_normal": "missing: no such file or folder",
        "one_normal": "1 normal image(s): at least 2 are needed",
        "bad_normal": "no normal image can be read",
    }
    assert rank(archive, normal, tmp_path / "out") == (1 if fault == "unreadable" else 2)
    error = capsys.readouterr().err
    assert said[fault] in error and "Traceback" not in error
    assert not (tmp_path / "out" / "scores.csv").exists()


def test_weights_that_are_not_there_are_told_before_anything_is_read(pools, tmp_path, capsys):
    weights = ("--options.extractor", "efficientnet_lite0", "--options.weights", str(tmp_path / "none.pth"))
    assert rank(*pools, tmp_path / "out", *weights) == 2
    said = capsys.readouterr().err
    assert "none.pth" in said and said.count("\n") == 1 and not (tmp_path / "out").exists()


def test_a_folder_of_another_command_is_refused(finished, pools, capsys):
    assert rank(*pools, finished) == 2
    assert "holds a run; choose another --out" in capsys.readouterr().err


def test_a_file_of_pixels_grows_and_widens(tmp_path):
    narrow, wide = make_images(3).pixels, make_images(2, seed=1, dtype=np.uint16).pixels
    file = PixelFile(tmp_path / "pixels.npy")
    for part in (narrow[:1], narrow[1:], wide, narrow):
        file.add(part)
    pixels = file.pixels()
    assert pixels.dtype == np.uint16 and len(pixels) == 8
    widened = narrow.astype(np.uint16) * 257
    np.testing.assert_array_equal(pixels, np.concatenate([widened, wide, widened]))
