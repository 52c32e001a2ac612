"""The controls of a run: kept beside its weights, in metrics.json and in the table of ``medad evaluate``."""

import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import TINY
from helpers import make_images
from sklearn.metrics import roc_auc_score

from medad.cli.commands import main
from medad.data.loading import load_images
from medad.data.preprocessing import Preprocessing
from medad.data.repartition import Repartition
from medad.errors import UserError
from medad.evaluation.controls import CONTROLS, STATISTICS, Controls
from medad.experiments.grid.cell import _tidy
from medad.training.checkpoint import save_tensors
from medad.workflows import controls as module
from medad.workflows.controls import read_controls
from medad.workflows.evaluate import _controls

FILE = "controls.safetensors"


def evaluate(run, data, out, *more):
    return main(["evaluate", str(run), str(data), "--out", str(out), "--device", "cpu", *map(str, more)])


def metrics(folder):
    return json.loads((folder / "metrics.json").read_text())


def test_figures_are_those_of_controls_fitted_on_the_same_images(finished, phantoms):
    splits = Repartition.read(phantoms)
    normal, pool, test = (
        load_images(entries, Preprocessing(64, 1)).images for entries in (splits.normal, splits.unlabeled, splits.test)
    )
    expected = Controls.fit(normal, pool, seed=0).scores(test)
    found = metrics(finished)["controls"]
    assert list(found) == list(CONTROLS) == list(expected)
    for name, row in found.items():
        assert row["auroc"] == pytest.approx(roc_auc_score(test.labels, expected[name]))
        assert set(row) == {"auroc", "auroc_ci", "ap", "ap_ci"}


def test_they_are_small_and_read_back(finished):
    assert (finished / FILE).stat().st_size < 2**17
    assert set(read_controls(finished, 64).normals) == set(STATISTICS)


@pytest.mark.usefixtures("undrawn")
def test_evaluating_other_data_prints_them_above_the_scores(finished, phantoms, tmp_path, capsys):
    assert evaluate(finished, phantoms, tmp_path / "out") == 0
    assert metrics(tmp_path / "out") == metrics(finished)
    out = capsys.readouterr().out
    assert out.index("what sees no pathology") < out.index("mean_intensity") < out.index("r_dual")
    assert out.index("mean_intensity") < out.index("pixels_nu")


@pytest.mark.usefixtures("undrawn")
def test_an_older_run_has_none_and_is_evaluated(finished, phantoms, tmp_path, capsys):
    run = shutil.copytree(finished, tmp_path / "run")
    (run / FILE).unlink()
    assert evaluate(run, phantoms, tmp_path / "out") == 0
    assert metrics(tmp_path / "out")["controls"] == {}
    said = capsys.readouterr()
    assert said.err.count(f"{run}: has no trivial controls") == 1 and "no pathology" not in said.out


@pytest.mark.parametrize("labels", [None, np.zeros(3, np.int8), np.ones(3, np.int8)])
def test_without_both_classes_nothing_is_read_or_said(labels, tmp_path, capsys):
    images = replace(make_images(3), labels=labels)
    assert _controls(tmp_path, SimpleNamespace(options=SimpleNamespace(size=64)), images) is None
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("undrawn")
def test_without_unlabeled_images_they_are_one_class(phantoms, tmp_path):
    data = shutil.copytree(phantoms, tmp_path / "copy")
    who = Repartition.read(data)
    Repartition(who.normal[:2], (), who.test).write(data / "few.csv")
    assert main(["run", str(data), "--split", "few.csv", "--out", str(tmp_path / "run"), *TINY, "--method", "ae"]) == 0
    assert list(metrics(tmp_path / "run")["controls"]) == list(STATISTICS)


def test_a_damaged_file_is_named_before_anything_is_scored(finished, phantoms, tmp_path, capsys):
    run = shutil.copytree(finished, tmp_path / "run")
    (run / FILE).write_bytes(b"nothing")
    assert evaluate(run, phantoms, tmp_path / "out") == 2
    assert str(run / FILE) in capsys.readouterr().err and not (tmp_path / "out" / "scores.csv").exists()


def test_a_file_of_something_else_is_refused(tmp_path, monkeypatch):
    import torch

    save_tensors(tmp_path / FILE, {"normals/thumbnail": torch.ones(2, 63)})
    with pytest.raises(UserError, match=f"{FILE}: not the controls of this run"):
        read_controls(tmp_path, 64)
    save_tensors(tmp_path / FILE, {"normals/thumbnail": torch.ones(2, 64)})
    np.testing.assert_array_equal(read_controls(tmp_path, 64).normals["thumbnail"], np.ones((2, 64)))
    monkeypatch.setattr(module, "LARGEST", 100)
    with pytest.raises(UserError, match="too large"):
        read_controls(tmp_path, 64)


def test_a_cell_of_a_benchmark_does_not_keep_the_file(finished, tmp_path):
    cell = shutil.copytree(finished, tmp_path / "cell")
    _tidy(cell)
    assert (cell / "metrics.json").exists() and not list(cell.glob("*.safetensors"))
