"""Runs in two precisions are compared image by image."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from stored_runs import store_run

from medad.evaluation.scores import write_scores
from medad.experiments.pages.overview import overview
from medad.experiments.studies import precision


def test_runs_in_two_precisions_are_compared_image_by_image(table, tmp_path):
    results = tmp_path / "results"
    for seed in (0, 1):
        store_run(table, tmp_path / f"fp32-{seed}", results, seed=seed)
        store_run(table, tmp_path / f"bf16-{seed}", results, 0.5, seed=seed, precision="bf16")
    store_run(table, tmp_path / "alone", results, seed=2)
    found = precision.differences(results)
    assert {(d.seed, d.score) for d in found} == {(s, n) for s in (0, 1) for n in ("a_rec", "a_inter", "r_dual")}
    labels, column = table.gt_label, table.columns["a_inter"]
    expected = 100 * (roc_auc_score(labels, column + 0.5 * labels) - roc_auc_score(labels, column))
    difference = next(d for d in found if d.score == "a_inter")
    assert difference.value == pytest.approx(expected)
    assert difference.low < expected < difference.high
    text = precision.section(results)
    assert "| ddad-aeu | 2 |" in text
    assert "does not hold" in text
    assert f"| brain_tumor | ddad-aeu | 1 | a_inter | {expected:+.2f} [" in text


def test_bf16_holds_where_it_changes_nothing(table, tmp_path):
    results = tmp_path / "results"
    for seed in (0, 1):
        for name in ("fp32", "bf16"):
            store_run(table, tmp_path / f"{name}-{seed}", results, seed=seed, precision=name)
    assert precision.section(results).count(" holds |") == 2
    assert precision.section(tmp_path / "fp32-0") == "No pair of runs is stored."


def test_one_pair_of_runs_is_judged_by_its_images(table, tmp_path):
    results = tmp_path / "results"
    for name in ("fp32", "bf16"):
        store_run(table, tmp_path / name, results, precision=name)
    assert "| ddad-aeu | 1 | 0.00 | +0.00 [+0.00, +0.00] | holds |" in precision.section(results)
    rng = np.random.default_rng(1)
    rows = {name: column + rng.normal(size=60) for name, column in table.columns.items()}
    write_scores(results / "brain_tumor" / "ddad-aeu-bf16" / "seed0" / "scores.csv", replace(table, columns=rows))
    found = precision.differences(results)
    raw = [d for d in found if d.score in precision.RAW]
    low, high = min(d.low for d in raw), max(d.high for d in raw)
    assert f"[{low:+.2f}, {high:+.2f}] | does not hold |" in precision.section(results)


def test_a_run_repeated_in_fp32_is_a_control(table, tmp_path):
    results = tmp_path / "results"
    for name in ("fp32", "bf16"):
        store_run(table, tmp_path / name, results, precision=name)
    assert "*Control*" not in precision.section(results)
    again = {"preset": "paper", "options": {"refine": False}}
    store_run(table, tmp_path / "again", results, 0.5, config=again)
    text = precision.section(results)
    control = text.partition("*Control*")[2]
    (difference,) = (d for d in precision.differences(results, precision.CONTROL) if d.score == "a_inter")
    assert f"| brain_tumor | ddad-aeu | 0 | a_inter | {difference.value:+.2f} [" in control
    assert "| ddad-aeu | 1 | 0.00 |" in text
    assert "refine-False" not in overview(results)
