"""The table of the README: every stored run of DDAD, and every control."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score
from stored_runs import keep

from medad.evaluation.scores import write_scores
from medad.experiments.deduplicated import deduplicated
from medad.experiments.pages.overview import overview
from medad.experiments.stored import stored

RESULTS = Path(__file__).parents[3] / "docs" / "results"


def test_the_controls_have_a_column_per_data_set(results, table):
    folder = results / "brain_tumor" / "controls" / "seed0"
    folder.mkdir(parents=True)
    control = table.columns["a_rec_1"]
    assert "control" not in overview(results)
    write_scores(folder / "scores.csv", replace(table, columns={"pred_score": control, "thumbnail": control}))
    keep(results, "brain_tumor", kept := [*range(20), *range(30, 60)])
    every, clean = (f"{100 * roc_auc_score(table.gt_label[i], control[i]):.1f}" for i in (np.arange(60), kept))
    _, first, *_ = overview(results).split("\n\n")
    head, _, row = first.splitlines()
    assert head == "| control | brain_tumor |"
    assert row == f"| thumbnail | {every} / {clean} |"


def test_figures_of_leaking_sets_stand_beside_clean_ones():
    text = overview(RESULTS)
    leaking = [file.parent.name for file in RESULTS.glob("*/deduplicated.txt")]
    assert {"brain_tumor", "brain_tumor_masks"} <= set(leaking)
    for row in text.split("\n\n")[-1].splitlines()[2:]:
        data, _, *figures = row.strip("| ").split(" | ")
        assert all((" / " in cell) == (data in leaking) for cell in figures[:6])
    for name in leaking:
        assert deduplicated(name, RESULTS) < set(next(stored(name, RESULTS)).scores.image_path)
