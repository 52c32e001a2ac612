"""The command line on real images, where ``MEDAD_DATA`` names them."""

import json
import os
from pathlib import Path

import pytest
from conftest import TINY

from medad.cli.commands import main

DATA = os.environ.get("MEDAD_DATA")
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not DATA, reason="MEDAD_DATA names no folder of real images"),
]


def test_brain_tumor_on_both_splits(tmp_path, capsys):
    data, run = Path(DATA or "") / "brain_tumor", tmp_path / "run"
    assert main(["run", str(data), "--out", str(run), *TINY]) == 0
    said = capsys.readouterr().err
    assert "unlabeled: M = 1000 images of 1000, anomaly rate 0.6: 400 normal + 600 abnormal" in said
    assert counts(run) == {"normal": 600, "abnormal": 600}
    assert main(["evaluate", str(run), str(data), "--split", "data_deduplicated.json", "--jobs", "1"]) == 0
    assert counts(run / "evaluate-brain_tumor-data_deduplicated") == {"normal": 167, "abnormal": 583}


def test_masks_of_another_set_give_pixel_metrics(tmp_path):
    root, run = Path(DATA or ""), tmp_path / "run"
    assert main(["train", str(root / "adult_cxr"), "--out", str(run), *TINY, "--method", "ae"]) == 0
    assert main(["evaluate", str(run), str(root / "brain_tumor_masks"), "--out", str(tmp_path / "out")]) == 0
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["n"]["masks"] == 701 and 0 < metrics["pixel"]["a_rec"]["best_dice"] < 1


def counts(folder: Path) -> dict:
    n = json.loads((folder / "metrics.json").read_text())["n"]
    return {name: n[name] for name in ("normal", "abnormal")}
