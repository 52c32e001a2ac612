"""``medad stress``: which images are taken, what is written and said, and what is refused."""

import csv
import json
import re
import shutil

import numpy as np
import pytest
from helpers import put

from medad.cli.commands import main
from medad.data.phantom.benchmark import phantom_benchmark
from medad.data.phantom.files import write_phantoms
from medad.detectors.registry import load_detector
from medad.synthesis.stress_cells import CELLS
from medad.workflows import stress_cells
from medad.workflows.stress_images import unlearned


@pytest.fixture(autouse=True)
def some_cells(monkeypatch):
    """Leave out most cells, of which there are many, but none of a kind."""
    monkeypatch.setattr(stress_cells, "CELLS", CELLS[::3])


@pytest.fixture
def run(run_on_pixels, tmp_path):
    return shutil.copytree(run_on_pixels("pca"), tmp_path / "run")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site") / "site"
    write_phantoms(folder, phantom_benchmark(normal=30, unlabeled=2, test=(22, 2), seed=7))
    return folder


@pytest.fixture
def both(site, phantoms, tmp_path):
    """The site's images, and among the test normals those that the run has learned from."""
    folder = shutil.copytree(site, tmp_path / "both")
    lists = json.loads((folder / "data.json").read_text())
    for name in json.loads((phantoms / "data.json").read_text())["train"]["0"]:
        shutil.copy(phantoms / "images" / name, folder / "images" / f"known-{name}")
        lists["test"]["0"].append(f"known-{name}")
    (folder / "data.json").write_text(json.dumps(lists))
    return folder


def test_page_and_figures_name_no_image(run, site, tmp_path, capsys):
    assert main(["stress", str(run), str(site), "--images", "20", "--jobs", "1"]) == 0
    out = run / "stress-site"
    text, page = (out / "stress.json").read_text(), (out / "stress.html").read_text()
    found = json.loads(text)
    assert found["images"] == 20 and found["method"] == "pca" and found["seed"] == 0 and found["data"] == "site"
    assert len(found["cells"]) == len(CELLS[::3]) - 1 and found["false_alarms"]["share"] <= 1
    assert found["notes"][-1].startswith(
        "left out, for they change nothing in most images: disks whose texture is drawn"
    )
    cell = found["cells"][0]
    assert set(cell) == {"kind", "level", "radius", "chance", "image", "pixel", "called"}
    score, map_ = found["scores"][0], found["maps"][0]
    assert set(cell["image"][score]) == {"auroc", "auroc_ci", "found", "blind"}
    assert set(cell["pixel"][map_]) == {"ap", "ap_ci", "found", "blind"} and 0 < cell["chance"] < 0.01
    said = capsys.readouterr()
    assert f"score {score} finds" in said.out and "report:" in said.out and f"map {map_} finds" in page
    assert "Called abnormal by the run" in page and "change nothing in most images" in said.err
    names = [path.name for path in (site / "images").iterdir()]
    plain = re.sub(r"data:[^\"]+", "", page)
    assert not any(name in text or name in plain for name in names) and str(tmp_path) not in text + plain
    assert not re.search(r"(src|href)=\"(?!data:)", page)


def test_two_runs_stand_side_by_side(run, site, tmp_path, capsys):
    assert main(["stress", str(run), str(site), "--images", "20", "--out", str(tmp_path / "a"), "--jobs", "1"]) == 0
    mine = tmp_path / "a" / "stress.json"
    other = json.loads(mine.read_text()) | {"method": "blind one", "seed": 3}
    for cell in other["cells"]:
        for figures in cell["image"].values():
            figures |= {"blind": True, "auroc": 0.5}
    (tmp_path / "other.json").write_text(json.dumps(other))
    capsys.readouterr()
    again = ["--images", "20", "--out", str(tmp_path / "b"), "--beside", str(tmp_path / "other.json"), "--jobs", "1"]
    assert main(["stress", str(run), str(site), *again]) == 0
    said = capsys.readouterr().out
    assert "the two tests differ in more than the run: seed 0 and 3" in said
    assert "by its score, this run is blind where the other is not:\n  - nowhere" in said
    assert "by its score, the other is blind where this run is not:\n  - disks" in said
    assert "blind one" in (tmp_path / "b" / "stress.html").read_text()
    assert (tmp_path / "b" / "stress.json").read_text() == mine.read_text()


def test_what_the_run_has_learned_from_is_left_out(run, both, capsys):
    detector = load_detector(run)
    images, notes = unlearned(detector, both, None, 24, 0, 1)
    learned = detector.images_ or {"trained": len(detector.seen_["trained"])}
    assert notes == [f"{learned['trained']} of 34 normal images are left out: the run has learned from them"]
    assert len(images) == 24 and sum("known" in name for name in images.ids) <= len(detector.seen_["held_out"])
    assert images.masks is None


def test_normal_images_are_taken_where_test_ones_are_too_few(run, site):
    detector = load_detector(run)
    images, notes = unlearned(detector, site, None, 100, 0, 1)
    assert len(images) == 52 and notes == ["52 images instead of 100: there are no more"]
    again, _ = unlearned(detector, site, None, 22, 0, 1)
    assert len(again) == 22 and all("test_0" in name for name in again.ids)


def test_a_patient_and_a_picture_count_once(run, site, tmp_path):
    folder = shutil.copytree(site, tmp_path / "named")
    lists = json.loads((folder / "data.json").read_text())
    (folder / "data.json").unlink()
    shutil.copy(folder / "images" / lists["test"]["0"][0], folder / "images" / "same.png")
    (folder / "images" / "black.png").write_bytes(black(folder / "black.png"))
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "split", "label", "patient"])
        for i, name in enumerate([*lists["test"]["0"], "same.png", "black.png"]):
            writer.writerow([f"images/{name}", "test", 0, "Doe" if i in (1, 2) else ""])
    images, notes = unlearned(load_detector(run), folder, None, 21, 0, 1)
    assert len(images) == 21
    assert notes == [
        "1 of 24 normal images are left out: they are dark all over",
        "2 of 24 normal images are left out: another is the same, or of the same patient",
    ]


def black(path):
    """Return a black picture as a file."""
    from PIL import Image

    Image.fromarray(np.zeros((64, 64), np.uint8)).save(path)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        (["--images", "5"], "--images 5: must be at least 20"),
        (["--seed", "-1"], "--seed -1: must be at least 0"),
        (["--beside", "nowhere.json"], "nowhere.json: not readable as the stress.json of a run"),
    ],
)
def test_wrong_options_end_with_one_line(run, site, wrong, line, capsys):
    assert main(["stress", str(run), str(site), *wrong]) == 2
    assert line in capsys.readouterr().err


def test_too_few_images_are_refused_with_the_number_needed(run, phantoms, capsys):
    assert main(["stress", str(run), str(phantoms)]) == 2
    said = capsys.readouterr().err
    assert "of 20 normal images are left out: the run has learned from them" in said
    assert re.search(r"; 1[01] normal images remain; it takes 20: list more normal ones in the split 'test'", said)


def test_a_run_that_forgot_its_images_is_refused(run, site, capsys):
    (run / "seen.safetensors").unlink()
    assert main(["stress", str(run), str(site)]) == 2
    assert "does not tell which images it has learned from" in capsys.readouterr().err


def test_another_file_is_no_stress_test(run, site, tmp_path, capsys):
    for content in ('{"image": {}}', "[1]", '{"scores": [], "maps": [], "cells": []}', "no"):
        (tmp_path / "metrics.json").write_text(content)
        assert main(["stress", str(run), str(site), "--beside", str(tmp_path / "metrics.json")]) == 2
        assert "medad stress makes one" in capsys.readouterr().err


def test_a_file_of_the_user_stays(run, site, capsys):
    put(run / "mine" / "stress.html")
    assert main(["stress", str(run), str(site), "--images", "20", "--out", str(run / "mine")]) == 2
    assert "stress.html" in capsys.readouterr().err
    assert (run / "mine" / "stress.html").read_bytes() == b"mine"
