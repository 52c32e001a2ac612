"""The examples run, as they stand, on little data."""

import csv
import runpy
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def run(monkeypatch, capsys):
    """Run an example as a script and return what it prints."""
    monkeypatch.setattr("medad.detectors.contract.detector.cores", lambda: 1)

    def run(name, *arguments):
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    return run


def test_python_use(run):
    said = run("python_use.py", "--preset", "tiny", "--images", 12)
    assert said.count("images/test_") == 17 and said.endswith("equal scores True\n")


def test_own_data(run, phantoms, tmp_path):
    folders = {name: tmp_path / name for name in ("normal", "unlabeled")}
    for name, folder in folders.items():
        folder.mkdir()
        for file in sorted((phantoms / "images").glob(f"{name}_*.png")):
            (folder / file.name).write_bytes(file.read_bytes())
    run("own_data.py", *folders.values(), tmp_path / "ranked.csv", "--preset", "tiny")
    rows = list(csv.DictReader((tmp_path / "ranked.csv").open()))
    scores = [float(row["score"]) for row in rows]
    assert len(rows) == 10 and scores == sorted(scores, reverse=True)
    assert all(Path(row["path"]).parent == folders["unlabeled"] for row in rows)


def test_new_detector(run):
    said = run("new_detector.py", "--images", 12)
    assert said.startswith("z  ") and "thumbnail" in said


def test_notebook(run, phantoms, tmp_path, monkeypatch):
    monkeypatch.setenv("DATA", str(phantoms))
    monkeypatch.setenv("PRESET", "tiny")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    said = run("notebook.py")
    assert said.startswith("12 normal, 10 unlabeled, 16 test images")
    assert "pred_score" in said and "thumbnail" in said and "AU-PRO" in said and said.endswith("equal scores True\n")


def test_every_example_is_run_here():
    known = {"python_use.py", "own_data.py", "new_detector.py", "notebook.py"}
    assert {file.name for file in EXAMPLES.glob("*.py")} == known
