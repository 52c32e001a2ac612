"""The page of backbones and scores says what the stored scores say."""

import numpy as np
import yaml
from sklearn.metrics import roc_auc_score
from stored_runs import RUN, keep, line, store_run

from medad.experiments.pages.backbones import page


def test_page_shows_our_figures_beside_the_papers(results, table):
    keep(results, "brain_tumor", (*range(15), *range(30, 60)))
    text = page("brain_tumor", results)
    auroc = 100 * roc_auc_score(table.gt_label, table.columns["a_inter"])
    kept = np.r_[:15, 30:60]
    clean = 100 * roc_auc_score(table.gt_label[kept], table.columns["a_inter"][kept])
    row = line(text, "a_inter", "0")
    assert row[2:4] == ["1", "97.1"]
    assert row[4].startswith(f"{auroc:.1f} [")
    assert row[6] == f"one training ({auroc - 97.1:+.1f})"
    assert row[7].startswith(f"{clean:.1f} [")
    glioma = np.r_[:15, 31:60:2]
    assert row[9].startswith(f"{100 * roc_auc_score(table.gt_label[glioma], table.columns['a_inter'][glioma]):.1f} [")
    assert "glioma, de-duplicated" in text
    assert "15 normal + 30 abnormal" in text
    assert line(text, "0", "a_inter")[2:] == ["25.0", "50.0"]
    assert "there is no interval and no clean figure" in text


def test_single_networks_are_trainings(results, table):
    row = line(page("brain_tumor", results), "a_rec", "0")
    members = [100 * roc_auc_score(table.gt_label, table.columns[f"a_rec_{k}"]) for k in (1, 2)]
    assert row[2:4] == ["2", "94.0"]
    assert row[4].startswith(f"{np.mean(members):.1f} ± {np.std(members, ddof=1):.1f} [")


def test_seeds_stand_below_their_mean_and_only_that_is_judged(table, tmp_path):
    results = tmp_path / "results"
    for seed in (0, 1):
        store_run(table, tmp_path / str(seed), results, 0.3 * seed, seed=seed)
    text = page("brain_tumor", results)
    aurocs = [
        100 * roc_auc_score(table.gt_label, table.columns["r_dual"] + 0.3 * seed * table.gt_label) for seed in (0, 1)
    ]
    mean = line(text, "r_dual", "0, 1")
    assert mean[2:4] == ["2", "97.2"]
    assert mean[4].startswith(f"{np.mean(aurocs):.1f} ± {np.std(aurocs, ddof=1):.1f} [")
    assert mean[6].endswith(f" ({np.mean(aurocs) - 97.2:+.1f})")
    for seed in (0, 1):
        single = line(text, "r_dual", str(seed))
        assert single[4].startswith(f"{aurocs[seed]:.1f} [")
        assert single[3] == single[6] == ""


def test_a_short_training_is_not_judged_by_the_paper(results):
    folder = results / "brain_tumor" / "ddad-aeu" / "seed0"
    (folder / "run.yaml").write_text(yaml.safe_dump(RUN | {"config": {"preset": "quick"}}))
    text = page("brain_tumor", results)
    assert "differs" not in text
    assert "97.2" not in text
