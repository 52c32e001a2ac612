"""``medad accept``: a site's labelled images beside the promise, what is known to the run left out."""

import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from medad.cli.commands import main
from medad.data.phantom.benchmark import phantom_benchmark
from medad.data.phantom.files import write_phantoms
from medad.evaluation.intervals import clopper_pearson
from medad.evaluation.scores import read_scores
from medad.workflows.calibration_set import read_calibration


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site") / "site"
    write_phantoms(folder, phantom_benchmark(normal=40, unlabeled=2, test=(30, 24), seed=7, level="plain"))
    return folder


@pytest.fixture
def run(run_on_pixels, site, tmp_path):
    copy = shutil.copytree(run_on_pixels("pca"), tmp_path / "run")
    normals = tmp_path / "normals"
    normals.mkdir()
    for name in json.loads((site / "data.json").read_text())["train"]["0"]:
        shutil.copy(site / "images" / name, normals)
    assert main(["calibrate", str(copy), str(normals)]) == 0
    return copy


def test_observed_stands_beside_promised(run, site, capsys):
    how = ["--calibration", "local", "--false-alarms", "0.1"]
    assert main(["accept", str(run), str(site), *how]) == 0
    told = capsys.readouterr().err
    table = read_scores(run / "accept-site" / "scores.csv")
    normal, abnormal = (table.pred_label[table.gt_label == label] for label in (0, 1))
    threshold = np.sort(read_calibration(run, "local").scores)[-4]  # 4 of 41 at most lie above
    np.testing.assert_array_equal(table.pred_label, table.columns["pred_score"] > threshold)
    assert f"{normal.sum()} of 30 normal images are called abnormal, where at most 9.76 % were promised" in told
    assert f"{abnormal.sum()} of 24 abnormal images are found" in told
    page = re.sub(r"data:[^\"]+", "", (run / "accept-site" / "acceptance.html").read_text())
    low, high = clopper_pearson(float(normal.mean()), 30)
    assert f"{100 * normal.mean():.1f} %" in page and f"{100 * low:.1f} to {100 * high:.1f} %" in page
    assert "Kinds of abnormality" in page and "What it costs to read" in page and "signature" in page
    assert "40 of set local" in page and not any(name in page for name in table.image_path)


def test_a_broken_promise_is_said(run, site, tmp_path, capsys):
    other = shutil.copytree(site, tmp_path / "other")
    test = json.loads((site / "data.json").read_text())["test"]
    rng = np.random.default_rng(0)
    for name in test["0"]:
        pixels = np.asarray(Image.open(other / "images" / name)) + 60 * rng.normal(size=(64, 64))
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(other / "images" / name)
    assert main(["accept", str(run), str(other), "--calibration", "local", "--false-alarms", "0.1"]) == 0
    assert "The promise is broken here" in capsys.readouterr().err


def test_what_the_run_knows_is_left_out(run, site, phantoms, tmp_path, capsys):
    mixed = shutil.copytree(site, tmp_path / "mixed")
    lists = json.loads((mixed / "data.json").read_text())
    known = json.loads((phantoms / "data.json").read_text())["train"]["0"]
    for name in known:
        shutil.copy(phantoms / "images" / name, mixed / "images" / f"known-{name}")
    lists["test"]["0"] += [f"known-{name}" for name in known] + lists["train"]["0"][2:]
    lists["train"]["0"] = lists["train"]["0"][:2]
    (mixed / "data.json").write_text(json.dumps(lists))
    assert main(["accept", str(run), str(mixed), "--calibration", "local"]) == 0
    assert "50 of 104 images are known to the run" in capsys.readouterr().err
    assert len(read_scores(run / "accept-mixed" / "scores.csv")) == 54


def test_it_takes_both_classes_and_a_promise(run, site, tmp_path, capsys):
    normal = shutil.copytree(site, tmp_path / "normal")
    lists = json.loads((normal / "data.json").read_text())
    lists["test"]["1"] = []
    (normal / "data.json").write_text(json.dumps(lists))
    assert main(["accept", str(run), str(normal), "--calibration", "local"]) == 2
    assert "it takes normal and abnormal test images" in capsys.readouterr().err
    assert main(["accept", str(run), str(site)]) == 2
    assert "cannot promise a false-alarm rate of 0.05" in capsys.readouterr().err
