"""One list of metrics: what files, tables and columns show follows from it, and nothing else names a metric."""

import ast
import csv
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import medad
from medad.cli import main
from medad.evaluation import metric_list
from medad.evaluation.curves import threshold_counts
from medad.evaluation.metric import Metric
from medad.evaluation.metric_list import METRICS, listed
from medad.evaluation.pixel_bootstrap import image_counts
from medad.evaluation.scores import read_scores
from medad.experiments.grid.results import Record, export_csv
from medad.reports.benchmark import write_benchmark

TOYS = {level: f"Toy {level}" for level in ("image", "decision", "pixel")}


@pytest.fixture
def toys(monkeypatch):
    """The list with a new metric of each level."""
    new = (
        Metric(
            f"toy_{level}", name, f"A {level} toy.", level, lambda *_: 0.123, lambda _: (0.045, 0.678), headline=True
        )
        for level, name in TOYS.items()
    )
    monkeypatch.setattr(metric_list, "METRICS", (*METRICS, *new))


def test_a_new_metric_is_one_row(toys, finished, phantoms, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")  # of the terminal
    assert main(["evaluate", str(finished), str(phantoms), "--device", "cpu", "--out", str(tmp_path / "new")]) == 0
    metrics = json.loads((tmp_path / "new" / "metrics.json").read_text())
    everywhere = [*metrics["image"].values(), *metrics["controls"].values()]
    everywhere += [row for kind in metrics["kinds"].values() for row in kind.values()]
    for rows, key in ((everywhere, "toy_image"), ([metrics["decision"]], "toy_decision")):
        assert all(row[key] == 0.123 and row[f"{key}_ci"] == [0.045, 0.678] for row in rows)
    assert all(row["toy_pixel"] == 0.123 and row["toy_pixel_ci"] for row in metrics["pixel"].values())
    assert TOYS["image"] in capsys.readouterr().out
    report = (tmp_path / "new" / "report.html").read_text()
    for level, name in TOYS.items():
        assert f"<th>{name}, %</th>" in report and "12.3 <small>(4.5–67.8)</small>" in report
        assert f"A {level} toy." in report

    record = Record("phantoms", "ddad", 0, metrics, read_scores(finished / "scores.csv"), tmp_path / "new")
    export_csv([record], tmp_path / "results.csv")
    rows = list(csv.DictReader((tmp_path / "results.csv").open()))
    (own,) = (row for row in rows if row["score"] == "pred_score")
    assert [own[f"{column}_high"] for column in ("toy_image", "decision_toy_decision")] == ["0.678"] * 2
    assert {row["pixel_toy_pixel_low"] for row in rows if row["score"] in metrics["pixel"]} == {"0.045"}

    tables = {"phantoms": {"ddad": [record.scores]}}
    page = write_benchmark(tables, tmp_path / "page", cells=[record.report]).read_text()
    assert f"<th>{TOYS['image']}, %</th>" in page and f"<th>{TOYS['pixel']}, %</th>" in page
    for name in ("table.md", "table.tex"):
        assert TOYS["image"] in (tmp_path / "page" / name).read_text()
    assert "toy_image_low" in (tmp_path / "page" / "table.csv").read_text()


def test_cells_of_earlier_versions_have_empty_columns(finished, tmp_path):
    old = {"image": {"pred_score": {"auroc": 0.75, "auroc_ci": [0.5, 0.875], "ap": None}}}
    export_csv([Record("d", "m", 0, old, read_scores(finished / "scores.csv"), tmp_path)], tmp_path / "r.csv")
    (row,) = csv.DictReader((tmp_path / "r.csv").open())
    known = {name: cell for name, cell in row.items() if cell}
    assert known == {
        "data": "d", "label": "m", "seed": "0", "score": "pred_score",
        "auroc": "0.75", "auroc_low": "0.5", "auroc_high": "0.875",
    }  # fmt: skip


def test_keys_and_columns_are_unique():
    for names in ([(m.level, m.key) for m in METRICS], [m.column for m in METRICS], [m.name for m in METRICS]):
        assert max(Counter(names).values()) == 1
    assert all(m.meaning.endswith(".") for m in METRICS)


@pytest.mark.parametrize("metric", [m for m in METRICS if m.of_counts], ids=lambda m: m.column)
def test_a_metric_of_counts_is_the_metric(metric):
    rng = np.random.default_rng(0)
    if metric.level == "image":
        truth, scores = np.arange(50) % 2, rng.integers(0, 9, 50) / 4
        counts = threshold_counts(truth == 1, scores)
    else:
        truth = rng.random((6, 8, 8)) < 0.1
        scores = np.round(rng.normal(truth), 1)
        counts = np.cumsum(image_counts(truth, scores).sum(axis=1), axis=1)
    assert metric.of_counts(*counts) == pytest.approx(metric.value(truth, scores))


def spelled(file):
    """Return the strings of a Python file but for docstrings, with the line of each."""
    tree = ast.parse(file.read_text())
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docs = {node.body[0].value for node in ast.walk(tree) if isinstance(node, documented) and ast.get_docstring(node)}
    strings = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return {f"{file.name}:{node.lineno}": node.value for node in strings if node not in docs}


def test_reports_and_grids_spell_no_metric():
    taken = {text for m in METRICS for text in (m.key, m.ci, m.column, m.name, m.heading)}
    package = Path(medad.__file__).parent
    files = [*(package / "reports").glob("*.py"), *(package / "experiments" / "grid").glob("*.py")]
    files.append(package / "workflows" / "table.py")
    assert len(files) > 15
    assert {place: text for file in files for place, text in spelled(file).items() if text in taken} == {}
    assert set(listed("image", "decision", "pixel")) == set(METRICS)
