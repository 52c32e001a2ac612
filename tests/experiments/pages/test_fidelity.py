"""The fidelity ledger knows every method and shows the run that says most."""

import json
from pathlib import Path

import pytest
from sklearn.metrics import roc_auc_score
from stored_runs import keep, line, store_run

from medad.detectors.registry import METHODS
from medad.experiments.pages.fidelity import ledger


def test_the_ledger_has_every_method_and_prefers_runs_in_fp32_and_of_its_own(table, tmp_path):
    results = tmp_path / "results"
    store_run(table, tmp_path / "fp32", results)
    store_run(table, tmp_path / "bf16", results, 0.5, precision="bf16")
    keep(results, "brain_tumor", kept := [*range(20), *range(30, 60)])
    text = ledger(results)
    clean = 100 * roc_auc_score(table.gt_label[kept], table.columns["r_dual"][kept])
    assert line(text, "ddad", "r_dual, ddad-aeu")[5].startswith(f"{clean:.1f} [")
    auroc = 100 * roc_auc_score(table.gt_label, table.columns["r_dual"])
    assert f"| ddad | r_dual, ddad-aeu | 97.2 / 95.2 | {auroc:.1f} [" in text
    assert f"| one training ({auroc - 97.2:+.1f}) |" in text
    assert "| aeu | a_rec, ddad-aeu | 94.0 / 89.0 |" in text
    assert "| memae | memae | 77.4 / 70.0 |  |  |  |  |  | no data |" in text
    for name in METHODS:
        assert f"\n## {name}\n" in text
    store_run(table, tmp_path / "own", results, method="aeu", options={})
    longer, shorter = ({"preset": "paper", "options": {name: 600}} for name in ("epochs", "steps"))
    store_run(table, tmp_path / "vae", results, method="vae", options={}, config=longer)
    for name in ("vae", "igd"):
        store_run(table, tmp_path / f"{name}-steps", results, method=name, options={}, config=shorter)
    text = ledger(results, costs=tmp_path)
    assert "| aeu | pred_score, aeu | 94.0 / 89.0 |" in text
    assert "| vae | pred_score, vae-epochs-600 | 85.3 / – |" in text
    (row,) = [line for line in text.splitlines() if line.startswith("| igd | ")]
    assert "| pred_score, igd-steps-600 | 94.3 / 90.6 |" in row
    assert "| not judged: shortened (" in row
    assert "no data" in ledger(tmp_path / "nothing")


@pytest.mark.parametrize("name", METHODS)
def test_every_method_says_what_differs_from_the_paper(name):
    assert f"## {name}\n\n" in ledger(Path("nothing"))
    section = ledger(Path("nothing")).split(f"## {name}\n")[1].split("\n## ")[0]
    assert "Differs from the paper: " in section


def test_the_ledger_tells_what_training_costs(tmp_path):
    phase = {"phase": "ae", "stage": 0, "steps": 3750, "threads": 1, "step_seconds": 0.05}
    machine = {"cpu": "a processor", "cores": 2, "date": "2026-01-01", "torch": "2"}
    cost = {"hours": 0.052, "standard_minutes": 3, "quick_minutes": 1.26, "phases": [phase, phase]}
    changed = {name: value for name, value in cost.items() if name != "standard_minutes"}
    document = {"machine": machine, "images": 1000, "methods": {"ae": cost, "aeu": changed}}
    (tmp_path / "machine.json").write_text(json.dumps(document))
    text = ledger(tmp_path / "nothing", tmp_path)
    assert "a processor, 2 cores" in text
    assert "| ae | 0.05 | 3,750 + 3,750 | 0.050 + 0.050 | 3.0 | 1.3 |" in text
    assert "| aeu | 0.05 | 3,750 + 3,750 | 0.050 + 0.050 |  | 1.3 |" in text
