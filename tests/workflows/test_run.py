"""``medad run``: test images are read before training, and need not be there."""

import json
import shutil

import numpy as np
import pytest
from conftest import TINY

from medad.cli.commands import main
from medad.data.repartition import Repartition
from medad.evaluation.scores import read_scores
from medad.workflows import run as module


def run(data, out, *more):
    return main(["run", str(data), "--out", str(out), *TINY, *more])


@pytest.fixture
def hospital(phantoms, tmp_path):
    """Normal and unlabeled images, and nothing else."""
    who = Repartition.read(phantoms)
    for name, entries in {"normal": who.normal, "unlabeled": who.unlabeled}.items():
        (tmp_path / "hospital" / name).mkdir(parents=True)
        for entry in entries:
            shutil.copy(entry.path, tmp_path / "hospital" / name)
    return tmp_path / "hospital"


def test_without_test_images_the_unlabeled_ones_are_scored(hospital, tmp_path, capsys):
    assert run(hospital, tmp_path / "run") == 0
    table = read_scores(tmp_path / "run" / "scores.csv")
    names = {f"unlabeled/{file.name}" for file in (hospital / "unlabeled").iterdir()}
    assert set(table.image_path) == names and table.gt_label is None
    assert (np.diff(table.columns["pred_score"]) <= 0).all()
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["n"] == {"unlabelled": 10}
    report = (tmp_path / "run" / "report.html").read_text()
    assert "They have no labels" in report and "<b>10</b>\n<span>unlabeled images</span>" in report
    said = capsys.readouterr()
    assert said.err.count("no test images: the unlabeled images themselves are scored") == 1
    assert said.out.startswith("10 images were scored. Without labels nothing can be said about how well")
    assert said.out.endswith(f"report: {tmp_path / 'run' / 'report.html'}\n")


def test_labels_of_a_drawn_pool_are_not_used_to_tell_accuracy(phantoms, tmp_path):
    data = shutil.copytree(phantoms, tmp_path / "copy")
    who = Repartition.read(data)
    Repartition(who.normal, who.unlabeled, ()).write(data / "untested.csv")
    assert run(data, tmp_path / "run", "--split", "untested.csv", "--unlabeled-size", "5") == 0
    table = read_scores(tmp_path / "run" / "scores.csv")
    assert len(table) == 5 and table.gt_label is None and table.kinds is None
    assert "unlabeled images (3 abnormal)" in (tmp_path / "run" / "report.html").read_text()


@pytest.fixture
def untrained(monkeypatch):
    """Fail if training starts."""
    monkeypatch.setattr(module, "fit", lambda *args: pytest.fail("training has started"))


def test_nothing_to_score_is_told_before_training(hospital, tmp_path, capsys, untrained):
    shutil.rmtree(hospital / "unlabeled")
    assert run(hospital, tmp_path / "run") == 2
    assert f"{hospital}: neither test nor unlabeled images" in capsys.readouterr().err


@pytest.mark.parametrize("what", ["path", "mask"])
def test_bad_test_files_are_told_before_training(what, phantoms, tmp_path, capsys, untrained):
    data = shutil.copytree(phantoms, tmp_path / "copy")
    file = getattr(Repartition.read(data).test[-1], what)
    file.write_bytes(b"")
    assert run(data, tmp_path / "run") == 2
    assert str(file) in capsys.readouterr().err


@pytest.mark.usefixtures("undrawn")
def test_test_images_are_read_once(phantoms, tmp_path, monkeypatch):
    from medad.workflows import splits

    load, asked = splits.load_or_fail, []

    def counted(entries, *rest):
        asked.extend(entry.id for entry in entries)
        return load(entries, *rest)

    monkeypatch.setattr(splits, "load_or_fail", counted)
    assert run(phantoms, tmp_path / "run", "--method", "ae") == 0
    assert len(asked) == len(set(asked)) == 12 + 10 + 16
