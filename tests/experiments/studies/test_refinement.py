"""The study of ASR-Net runs on a finished run and looks at every stored epoch."""

import csv

import pytest
from helpers import make_images

from medad.data.phantom.benchmark import phantom_benchmark
from medad.data.phantom.files import write_phantoms
from medad.detectors.registry import make_detector
from medad.evaluation.metrics import auroc
from medad.experiments.studies.refinement import Trial, study


@pytest.mark.integration
def test_study_scores_last_and_averaged_weights(tmp_path):
    data, run = tmp_path / "data", tmp_path / "run"
    write_phantoms(data, phantom_benchmark(normal=16, unlabeled=8, test=(4, 4)))
    options = {"refine_epochs": 4, "refine_steps": None, "refine_width": 2}
    make_detector("ddad", "tiny", device="cpu", jobs=1, **options).fit(make_images(8), make_images(8)).save(run)
    trial = Trial("cosine", seed=0, precision="fp32", every=2)
    path = study(run, data, trial, tmp_path / "out", tmp_path / "work")
    assert path.name == "r_dual-cosine-fp32-seed0.csv"
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["epoch"], row["weights"]) for row in rows] == [
        ("2", "last"), ("2", "average"), ("4", "last"), ("4", "average")
    ]  # fmt: skip
    assert all(0 <= float(row["auroc"]) <= 1 for row in rows)
    assert all(row["auroc"] == row["auroc_deduplicated"] for row in rows)


@pytest.mark.integration
def test_the_last_epoch_scores_as_the_detector_does(tmp_path):
    data, run = tmp_path / "data", tmp_path / "run"
    phantoms = phantom_benchmark(normal=16, unlabeled=8, test=(6, 6))
    write_phantoms(data, phantoms)
    options = {"refine_epochs": 2, "refine_steps": None, "refine_width": 2}
    detector = make_detector("ddad", "tiny", device="cpu", jobs=1, **options)
    detector.fit(phantoms.normal, phantoms.unlabeled).save(run)
    trial = Trial("paper", "r_intra", precision="fp32", every=2)
    with study(run, data, trial, tmp_path / "out", tmp_path / "work").open() as file:
        (row,) = csv.DictReader(file)
    (prediction,) = detector.predict(phantoms.test)
    assert float(row["auroc"]) == pytest.approx(auroc(phantoms.test.labels, prediction.scores["r_intra"]), abs=1e-6)


def test_other_synthetic_anomalies_have_files_of_their_own(tmp_path):
    data, run = tmp_path / "data", tmp_path / "run"
    write_phantoms(data, phantom_benchmark(normal=8, unlabeled=4, test=(2, 2)))
    make_detector("ddad", "tiny", device="cpu", jobs=1, refine=False).fit(make_images(8), make_images(8)).save(run)
    curves = {}
    for synthesis in ("fpi", "nsa"):
        trial = Trial("brief", precision="fp32", every=20, synthesis=synthesis)
        with study(run, data, trial, tmp_path / "out", tmp_path / f"work-{synthesis}").open() as file:
            curves[trial.name] = [row["auroc"] for row in csv.DictReader(file)]
    assert list(curves) == ["r_dual-brief-fp32-seed0", "r_dual-brief-nsa-fp32-seed0"]
