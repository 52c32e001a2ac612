"""Stored results, as pages and studies read them."""

import json

import pytest
import yaml
from stored_runs import RUN, make_table

from medad.evaluation.scores import write_scores
from medad.experiments.store import store


@pytest.fixture
def table():
    return make_table()


@pytest.fixture
def results(table, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    write_scores(run / "scores.csv", table)
    (run / "metrics.json").write_text(json.dumps({"pixel": {"a_inter": {"ap": 0.25, "best_dice": 0.5}}}))
    (run / "run.yaml").write_text(yaml.safe_dump(RUN))
    (run / "weights.safetensors").write_bytes(b"large")
    folder = store(run, tmp_path / "results")
    assert folder == tmp_path / "results" / "brain_tumor" / "ddad-aeu" / "seed0"
    assert sorted(p.name for p in folder.iterdir()) == ["metrics.json", "run.yaml", "scores.csv"]
    return tmp_path / "results"
