"""The page of methods puts every one beside its published figures."""

from dataclasses import asdict

import numpy as np
import yaml
from sklearn.metrics import roc_auc_score
from stored_runs import keep, line, store_run

from medad.evaluation.comparison import compare
from medad.evaluation.verdict import verdict as judged
from medad.experiments.pages.fidelity import ledger
from medad.experiments.pages.methods import page
from medad.experiments.stored import stored
from medad.workflows.options import TrainOptions


def test_what_was_tried_after_the_test_is_not_judged(table, tmp_path):
    results = tmp_path / "results"
    options = {"method": "ae", "preset": "paper", "options": {"loss": "l1"}}
    config = asdict(TrainOptions(**options))
    store_run(table, tmp_path / "tried", results, method="ae", options={}, config=config)
    store_run(table, tmp_path / "ae", results, method="ae", options={}, config=config | {"options": {}})
    (results / "brain_tumor_reasons.yaml").write_text(yaml.safe_dump({"data": ["brain_tumor"], "runs": [options]}))
    text = page("brain_tumor", results)
    assert line(text, "ae-loss-l1")[-1].startswith("not judged: tried after the test figures had been seen (")
    assert "not judged" not in line(text, "ae")[-1]
    assert "| ae | pred_score, ae |" in ledger(results)
    (results / "brain_tumor_reasons.yaml").unlink()
    assert "not judged" not in line(page("brain_tumor", results), "ae-loss-l1")[-1]


def test_all_methods_stand_beside_their_published_figures(table, tmp_path):
    results, kept = tmp_path / "results", [*range(20), *range(30, 60)]
    store_run(table, tmp_path / "ddad", results)
    for seed in (0, 1):
        store_run(table, tmp_path / f"ae{seed}", results, 0.1 * seed, method="ae", options={}, seed=seed)
    shorter = {"config": {"preset": "paper", "options": {"steps": 5}}, "timings": {"resumed": True}}
    store_run(table, tmp_path / "vae", results, method="vae", options={}, **shorter)
    store_run(table, tmp_path / "quick", results, method="dae", options={}, config={"preset": "quick", "options": {}})
    (results / "brain_tumor" / "ae" / "notes.md").write_text("A reason.\n")
    (results / "brain_tumor_methods.yaml").touch()
    keep(results, "brain_tumor", kept)
    text = page("brain_tumor", results)
    rows = {line.split(" | ")[0]: line for line in text.splitlines() if line.startswith("| ")}
    assert set(rows) == {"| method", "| ddad-aeu", "| ae", "| vae-steps-5"}
    labels, column = table.gt_label, table.columns["r_dual"]
    aurocs = [100 * roc_auc_score(labels, column + 0.1 * seed * labels) for seed in (0, 1)]
    assert f"| 79.7 / 71.9 [1] | {np.mean(aurocs):.1f} ± {np.std(aurocs, ddof=1):.1f} [" in rows["| ae"]
    assert f"| {100 * roc_auc_score(labels[kept], column[kept]):.1f} [" in rows["| ddad-aeu"]
    (figure,) = (row.auroc for row in compare({"": [run.scores for run in stored("brain_tumor", results)][:2]}))
    assert rows["| ae"].endswith(f"| 2 | paper | 1 | {judged(figure, 79.7)} |")
    assert f"({np.mean(aurocs) - 79.7:+.1f})" in rows["| ae"]
    assert "85.3 [2]" in rows["| vae-steps-5"]
    assert f"| steps 5 |  | not judged: shortened ({aurocs[0] - 85.3:+.1f}) |" in rows["| vae-steps-5"]
    assert text.endswith("## ae\n\nA reason.\n")
    assert "`medad benchmark`: [brain_tumor_methods](brain_tumor_methods.yaml)." in text
    text = page("brain_tumor", results, "quick")
    (row,) = [line for line in text.splitlines() if line.startswith("| dae-quick | ")]
    assert row.endswith("| 1 | quick | 1 |")
    assert "published |" not in text
