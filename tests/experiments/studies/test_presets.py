"""Presets of DDAD are trained and stored once for each data set and seed."""

import pytest

from medad.experiments.studies import presets
from medad.experiments.studies.steady.ensembles import PHANTOMS
from medad.workflows.options import TrainOptions


@pytest.mark.integration
def test_what_is_stored_is_not_trained_again(phantoms, tmp_path, monkeypatch):
    options = TrainOptions("ddad", "aeu", "tiny", seed=3)
    arguments = ("phantoms", options, phantoms.parent, tmp_path / "work", tmp_path / "results")
    presets.run_one(*arguments)
    stored = tmp_path / "results" / "phantoms" / "ddad-aeu-tiny" / "seed3"
    assert {file.name for file in stored.iterdir()} >= {"scores.csv", "run.yaml", "metrics.json"}
    monkeypatch.setattr(presets, "run", lambda *_, **__: pytest.fail("trained again"))
    presets.run_one(*arguments)


def test_phantoms_are_others_with_each_seed(tmp_path):
    names = [presets.source(PHANTOMS, tmp_path, seed, tmp_path).parent.name for seed in (0, 1)]
    assert names == ["seed0", "seed1"]
