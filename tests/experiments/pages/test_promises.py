"""The page of promises: what is drawn from stored scores, and what it shows where promises hold and where not."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from helpers import make_images

from medad.experiments.pages import promises
from medad.experiments.pages.promises import page, pictures
from medad.experiments.studies.promises import ABNORMAL, COLUMNS, NORMAL, OTHERS, halves, store


@pytest.fixture
def stored(tmp_path, monkeypatch):
    monkeypatch.setattr(promises, "SPLITS", 30)
    rng = np.random.default_rng(0)
    folder = tmp_path / "somewhere" / "promises"
    folder.mkdir(parents=True)
    scores = {OTHERS: rng.normal(size=300), NORMAL: rng.normal(size=300) + 2, ABNORMAL: rng.normal(size=200) + 5}
    rows = [[role, "", f"{score:.6g}"] for role, values in scores.items() for score in values]
    with (folder / "nu.csv").open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    (folder / "nu.yaml").write_text("date: 2026-01-01\n")
    return tmp_path


def cells(text, heading, name):
    lines = text.split(heading)[1].split("\n## ")[0].splitlines()
    (found,) = [line for line in lines if f"| {name} |" in line]
    return [float(cell.split("±")[0]) for cell in found.strip("| ").split("|")[3:]]


def test_promises_hold_for_images_of_the_same_source_only(stored):
    text = page(stored)
    same, elsewhere, locally = cells(text, "## False alarms", "10")
    assert same < 12 and elsewhere > 50 and locally < 12
    same, elsewhere, locally = cells(text, "## Lists", "normal among the listed")
    assert same < 12 and elsewhere > 30 and locally < 12
    assert cells(text, "## Lists", "abnormal ones that are listed")[0] > 90
    same, elsewhere, locally = cells(text, "notice?", "fails")
    assert same < 10 and elsewhere > 90 and locally < 10
    assert pictures(stored)["promises.png"].startswith(b"\x89PNG")


def test_scores_are_of_images_that_were_not_learned_from(phantoms, tmp_path):
    path = store("phantoms", phantoms.parent, "mahalanobis", tmp_path, tmp_path / "work")
    with path.open() as file:
        roles = [row["role"] for row in csv.DictReader(file)]
    assert {role: roles.count(role) for role in set(roles)} == {OTHERS: 6, NORMAL: 8, ABNORMAL: 8}
    store("phantoms", tmp_path / "nowhere", "mahalanobis", tmp_path, tmp_path / "work")  # is not computed again


def test_halves_keep_patients_together():
    images = replace(make_images(20), patients=tuple(f"p{i // 4}" for i in range(20)))
    first, second = halves(images, 0)
    assert not set(first.patients) & set(second.patients) and len(first) + len(second) == 20
