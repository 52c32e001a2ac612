"""The study of ASR-Net runs on a finished run and looks at every stored epoch."""

import csv

import pytest
from helpers import make_images

from medad.data.phantom import phantom_benchmark
from medad.data.phantom_files import write_phantoms
from medad.detectors.registry import make_detector
from medad.experiments import refinement


@pytest.mark.integration
def test_study_scores_last_and_averaged_weights(tmp_path, monkeypatch):
    data, run = tmp_path / "data", tmp_path / "run"
    write_phantoms(data, phantom_benchmark(normal=16, unlabeled=8, test=(4, 4)))
    options = {"refine_epochs": 4, "refine_steps": None, "refine_width": 2}
    make_detector("ddad", "tiny", device="cpu", jobs=1, **options).fit(make_images(8), make_images(8)).save(run)
    monkeypatch.setattr(refinement, "EVERY", 2)
    path = refinement.study(run, data, "cosine", 0, tmp_path / "out", tmp_path / "work")
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["epoch"], row["weights"]) for row in rows] == [
        ("2", "last"), ("2", "average"), ("4", "last"), ("4", "average")
    ]  # fmt: skip
    assert all(0 <= float(row["auroc"]) <= 1 for row in rows)
    assert all(row["auroc"] == row["auroc_deduplicated"] for row in rows)
