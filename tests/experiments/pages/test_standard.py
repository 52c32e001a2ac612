"""The page of preset standard: figures and verdicts on aims, computed by hand."""

import json

import numpy as np
import pytest
import yaml

from medad.experiments.pages import standard
from medad.experiments.pages.standard import page
from medad.experiments.studies.preset_rows import STANDARD, summary

LABELS = np.repeat([0, 1], 10)


def scores_of(auroc, seed):
    """Return scores of 10 normal and 10 abnormal images with this AUROC, a multiple of .01."""
    wrong = round(100 * (1 - auroc))
    normal, abnormal = np.arange(10.0), np.full(10, 100.0)
    for k in range(10):
        abnormal[k] = 9.5 - min(max(wrong - 10 * k, 0), 10) if wrong > 10 * k else 100.0
    return np.concatenate([normal, abnormal]) + 1e-3 * seed


def store(results, dataset, method, seed, aurocs, choice=None):
    folder = results / dataset / method / f"seed{seed}"
    folder.mkdir(parents=True)
    columns = {name: scores_of(value, seed) for name, value in aurocs.items()}
    rows = [",".join(["image_path", "gt_label", *columns])]
    rows += [
        ",".join([f"{i}.png", str(label), *(repr(float(c[i])) for c in columns.values())])
        for i, label in enumerate(LABELS)
    ]
    (folder / "scores.csv").write_text("\n".join(rows) + "\n")
    (folder / "metrics.json").write_text(json.dumps({}))
    run = {
        "method": "ddad",
        "options": {"backbone": "aeu"},
        "config": {"preset": "standard" if method == STANDARD else "paper"},
        "data": {"name": dataset},
        "seed": seed,
        "precision": "fp32",
        "versions": {"cpu": "cpu", "torch": "2"},
        "timings": {"fit_seconds": 600.0},
    } | ({"choice": choice} if choice else {})
    (folder / "run.yaml").write_text(yaml.safe_dump(run))


@pytest.fixture
def results(tmp_path):
    choice = {"chosen": "a_inter", "judged": {"a_inter": {"auc_u": 0.751}}}
    for seed, reported in enumerate((0.98, 0.97)):
        found = {"pred_score": reported, "a_rec_ensemble": 0.9, "a_inter": 0.97, "r_nu": 0.8}
        store(tmp_path, "brain_tumor", STANDARD, seed, found, choice)
        found = {"pred_score": 0.7, "a_rec_ensemble": 0.9, "a_inter": 0.6}
        store(tmp_path, "fundus_glaucoma", STANDARD, seed, found)
    store(tmp_path, "brain_tumor", "ddad-aeu", 0, {"pred_score": 0.85, "a_rec_ensemble": 0.9, "a_inter": 0.8})
    return tmp_path


def cells(text, *start):
    (found,) = (row for row in text.splitlines() if row.startswith("| " + " | ".join(start) + " |"))
    return [cell.strip() for cell in found.strip("|").split("|")][len(start) :]


def test_both_presets_stand_side_by_side(results):
    text = page(results)
    assert cells(text, "brain_tumor", "standard", "2")[:2] == ["97.5 ± 0.7", "90.0 ± 0.0"]
    assert cells(text, "brain_tumor", "standard", "2")[-1] == "10"
    assert cells(text, "brain_tumor", "paper", "1")[0] == "85.0"
    assert [row[:3] for row in summary(results)[1:]] == [[name, "standard", "2"] for name in
                                                        ("brain_tumor", "fundus_glaucoma")]  # fmt: skip


def test_aims_are_reached_or_not(results):
    text = page(results)
    assert cells(text, "brain_tumor", "97.5") == ["+0.5", "+7.5", "+17.5", "+7.5", "0.7", "97, sd 1.0", "yes"]
    assert cells(text, "fundus_glaucoma", "70.0") == ["+10.0", "-20.0", "", "", "0.0", "", "no"]
    assert cells(text, "brain_tumor", "1", "a_inter") == ["75.1", "75.1", "97.0"]


@pytest.mark.parametrize(("aims", "steady"), [({"brain_tumor": 98.0}, {}), ({}, {"brain_tumor": 0.5})])
def test_each_aim_counts(results, monkeypatch, aims, steady):
    monkeypatch.setattr(standard, "AIMS", aims)
    monkeypatch.setattr(standard, "STEADY", steady)
    assert cells(page(results), "brain_tumor", "97.5")[-1] == "no"
