"""``medad calibrate``: normal images of a place are scored and kept, and those that were learned from refused."""

import shutil

import numpy as np
import pytest
import yaml
from dicom_files import dataset, write

from medad.cli.commands import main
from medad.data.phantom.benchmark import phantom_benchmark
from medad.data.phantom.files import write_phantoms
from medad.data.repartition import Repartition
from medad.detectors.registry import load_detector
from medad.evaluation.scores import read_scores
from medad.workflows.calibration_set import read_calibration


@pytest.fixture(scope="module")
def normals(tmp_path_factory):
    """Return a folder of normal images that no run has learned from."""
    folder, out = tmp_path_factory.mktemp("others"), tmp_path_factory.mktemp("normals")
    write_phantoms(folder, phantom_benchmark(normal=30, unlabeled=2, test=(2, 2), seed=7))
    for entry in Repartition.read(folder).normal:
        shutil.copy(entry.path, out)
    return out


@pytest.fixture
def run(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "run")


def test_scores_are_kept_in_the_run(run, normals, capsys):
    assert main(["calibrate", str(run), str(normals), "--name", "ward-3"]) == 0
    told = capsys.readouterr().err
    assert "ward-3: 30 normal images" in told and "false-alarm rate of 3.2 % or more" in told
    found = read_calibration(run, "ward-3")
    assert len(found.scores) == 30 == len(set(found.digests.tolist()))
    assert found.looks.shape == (30, 2 + 64 + 16) and np.isfinite(found.looks).all()
    assert b"normal" not in (run / "calibration" / "ward-3.safetensors").read_bytes()


def test_new_images_are_judged_by_them(run, normals, phantoms, tmp_path):
    main(["calibrate", str(run), str(normals)])
    out = tmp_path / "out"
    how = ["--calibration", "local", "--false-alarms", "0.2", "--jobs", "1"]
    assert main(["predict", str(run), str(phantoms / "images"), "--out", str(out), *how]) == 0
    table, normal = read_scores(out / "scores.csv"), read_calibration(run, "local").scores
    reached = (normal >= table.columns["pred_score"][:, None]).sum(1)
    np.testing.assert_array_equal(table.p_value, (1 + reached) / 31)
    np.testing.assert_array_equal(table.pred_label, (reached <= 5).astype(int))  # 6 of 31 at most
    page = (out / "worklist.html").read_text()
    assert "30 normal images of the calibration set local" in page and "at most 19.4 % abnormal" in page


def test_a_list_that_holds_images_of_the_set_is_told(run, normals, tmp_path, capsys):
    main(["calibrate", str(run), str(normals)])
    assert main(["predict", str(run), str(normals), "--out", str(tmp_path / "o"), "--calibration", "local"]) == 0
    told = "30 of 30 images are in the calibration set local: their p- and q-values say nothing"
    assert told in capsys.readouterr().err


def test_images_that_were_learned_from_are_refused(run, phantoms, capsys):
    learned = load_detector(run, device="cpu").seen_
    assert len(learned["trained"]) == 20 and len(learned["held_out"]) == 2
    assert main(["calibrate", str(run), str(phantoms / "images"), "--name", "mine"]) == 2
    assert "the run has learned from 20 of these" in capsys.readouterr().err
    assert not (run / "calibration").exists()


def test_images_held_out_from_training_may_be_used(run, phantoms, capsys):
    described = yaml.safe_load((run / "run.yaml").read_text())
    assert described["data"]["normal"]["held_out"] == 2
    seen = load_detector(run, device="cpu").seen_
    assert not np.isin(seen["held_out"].numpy(), seen["trained"].numpy()).any()


def test_doubles_count_once_and_what_cannot_be_read_is_told(run, normals, tmp_path, capsys):
    folder = shutil.copytree(normals, tmp_path / "doubles")
    first = sorted(folder.iterdir())[0]
    shutil.copy(first, folder / "again.png")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    assert main(["calibrate", str(run), str(folder)]) == 0
    told = capsys.readouterr().err
    assert "1 images are there more than once: counted once" in told and "broken.png" in told and "left out" in told
    assert len(read_calibration(run, "local").scores) == 30


def test_a_run_of_an_earlier_version_is_told(run, normals, capsys):
    (run / "seen.safetensors").unlink()
    assert main(["calibrate", str(run), str(normals)]) == 2
    assert "does not tell which images it has learned from; train it again" in capsys.readouterr().err


def test_mistakes_are_told_before_anything_is_read(run, normals, tmp_path, capsys):
    assert main(["calibrate", str(run), str(normals), "--name", "a/b"]) == 2
    assert "--name a/b: choose letters" in capsys.readouterr().err
    assert main(["predict", str(run), str(normals), "--out", str(tmp_path / "o"), "--calibration", "ward"]) == 2
    assert "no calibration set ward; medad calibrate makes one" in capsys.readouterr().err
    assert main(["predict", str(run), str(normals), "--out", str(tmp_path / "o"), "--false-alarms", "2"]) == 2
    assert "--false-alarms 2.0: must lie between 0 and 1" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_views_have_thresholds_of_their_own(run, tmp_path, capsys):
    rng = np.random.default_rng(0)

    def scans(name, views):
        (tmp_path / name).mkdir()
        for i, view in enumerate(views):
            pixels = rng.integers(0, 200 if view == "PA" else 2000, (64, 64)).astype(np.uint16)
            write(tmp_path / name / f"{i:02}.dcm", dataset(pixels, 12, ViewPosition=view))
        return str(tmp_path / name)

    normals, cases = scans("normals", ["PA"] * 20 + ["AP"] * 20), scans("cases", ["PA", "AP", "LL"])
    assert main(["calibrate", str(run), normals]) == 0
    how = ["--calibration", "local", "--by", "view", "--out", str(tmp_path / "out")]
    assert main(["predict", str(run), cases, *how]) == 0
    known = read_calibration(run, "local")
    assert known.classes["view"] == ("PA",) * 20 + ("AP",) * 20
    table = read_scores(tmp_path / "out" / "scores.csv")
    expected = {}
    for name, rows in (("00.dcm", slice(0, 20)), ("01.dcm", slice(20, 40)), ("02.dcm", slice(0, 40))):
        own, score = known.image_scores[rows], table.columns["pred_score"][table.image_path.index(name)]
        expected[name] = (1 + (own >= score).sum()) / (1 + len(own))
    assert dict(zip(table.image_path, table.p_value, strict=True)) == pytest.approx(expected)
    assert "judged by normal ones of the same view: AP from" in (tmp_path / "out" / "worklist.html").read_text()
    assert main(["predict", str(run), cases, "--by", "view", "--out", str(tmp_path / "o")]) == 2
    assert "--by" in capsys.readouterr().err
