"""metrics.json: every figure against an independent reference."""

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from medad.errors import MedadError
from medad.evaluation import bootstrap
from medad.evaluation.chi_squared import chi_squared_draws
from medad.evaluation.curves import average_precision_of_counts
from medad.evaluation.metric_list import listed
from medad.evaluation.metrics import au_pro, best_dice, chi_squared_distance
from medad.evaluation.pixel_bootstrap import pixel_draws
from medad.evaluation.scores import ScoreTable
from medad.evaluation.statistics import (
    ap_interval,
    auroc_interval,
    bootstrap_draws,
    proportion_interval,
    spread_interval,
)
from medad.evaluation.summary import check_finite, summarise


@pytest.fixture
def table():
    """40 normal images, 20 gliomas, 10 others."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [40, 30])
    columns = {name: rng.normal(labels) for name in ("a_rec_1", "a_rec_2", "r_dual")}
    return ScoreTable(
        tuple(f"{i}.png" for i in range(70)),
        labels,
        columns | {"pred_score": columns["r_dual"]},
        tuple([""] * 40 + ["glioma"] * 20 + ["other"] * 10),
        (columns["r_dual"] > 0.5).astype(int),
    )


def test_image_figures(table):
    result = summarise(table, seed=4)
    labels, scores = table.gt_label, table.columns["r_dual"]
    figures = result["image"]["r_dual"]
    assert figures["auroc"] == pytest.approx(roc_auc_score(labels, scores))
    assert figures["ap"] == pytest.approx(average_precision_score(labels, scores))
    assert figures["chi2"] == pytest.approx(chi_squared_distance(labels, scores))
    assert figures["auroc_ci"] == list(auroc_interval(labels, scores))
    draws = bootstrap_draws(labels, [scores], [average_precision_of_counts])  # seed 0, whatever the run's
    assert figures["ap_ci"] == pytest.approx(ap_interval(figures["ap"], draws.std(ddof=1), labels, scores))
    of_chi2 = chi_squared_draws(labels, scores).std(ddof=1)
    assert np.divide(figures["chi2_ci"], 100) == pytest.approx(
        spread_interval(figures["chi2"] / 100, of_chi2 / 100, 30)
    )
    assert result["image"]["pred_score"] == figures
    assert result["n"] == {"normal": 40, "abnormal": 30}
    assert result["seed"] == 4


def test_the_draws_are_made_once_for_all_scores(table, monkeypatch):
    made = []
    resampled = bootstrap.resampled
    monkeypatch.setattr(bootstrap, "resampled", lambda *args: made.append(1) or resampled(*args))
    result = summarise(table)
    assert len(made) == 3  # all images, gliomas, others
    assert list(result["image"]) == list(result["kinds"]["other"]) == ["a_rec", "r_dual", "pred_score"]


def test_pred_score_may_repeat_another_score_within_a_kind_only(table):
    table.columns["pred_score"][:60] = table.columns["a_rec_1"][:60]  # 40 normal images and 20 gliomas
    table.columns["r_dual"] = table.columns["pred_score"] + (np.arange(70) >= 60)
    kinds = summarise(table)["kinds"]
    assert kinds["glioma"]["pred_score"] == kinds["glioma"]["r_dual"] != kinds["other"]["pred_score"]


def test_members_are_averaged(table):
    result = summarise(table)["image"]
    assert "a_rec_1" not in result
    single = [roc_auc_score(table.gt_label, table.columns[f"a_rec_{k}"]) for k in (1, 2)]
    assert result["a_rec"]["members"] == pytest.approx(single)
    assert result["a_rec"]["auroc"] == pytest.approx(np.mean(single))
    both = np.stack([table.columns["a_rec_1"], table.columns["a_rec_2"]])
    assert result["a_rec"]["auroc_ci"] == list(auroc_interval(table.gt_label, both))


def test_each_kind_stands_against_all_normal_images(table):
    kinds = summarise(table)["kinds"]
    assert list(kinds) == ["glioma", "other"]
    chosen = (table.gt_label == 0) | (np.array(table.kinds) == "glioma")
    expected = roc_auc_score(table.gt_label[chosen], table.columns["r_dual"][chosen])
    assert kinds["glioma"]["r_dual"]["auroc"] == pytest.approx(expected)
    assert kinds["glioma"]["r_dual"]["n"] == 20
    assert set(kinds["other"]["a_rec"]) == {"auroc", "auroc_ci", "ap", "ap_ci", "n"}


def test_pixels_of_all_images_are_pooled(table):
    rng = np.random.default_rng(1)
    masks = rng.random((70, 6, 5)) < 0.2 * table.gt_label[:, None, None]
    maps = {"r_dual": rng.normal(masks).astype(np.float32)}
    result = summarise(table, masks=masks, maps=maps)
    pixels = masks.ravel(), maps["r_dual"].ravel()
    expected = {
        "auroc": roc_auc_score(*pixels),
        "ap": average_precision_score(*pixels),
        "best_dice": best_dice(masks, maps["r_dual"]),
        "au_pro": au_pro(masks, maps["r_dual"]),
    }
    counted = {metric.key: metric.of_counts for metric in listed("pixel")}
    found, draws = result["pixel"]["r_dual"], pixel_draws(masks, maps["r_dual"], counted)
    items = min(masks.any(axis=(1, 2)).sum(), 70 - masks.any(axis=(1, 2)).sum())
    for name, value in expected.items():
        assert found[name] == pytest.approx(value)
        assert found[f"{name}_ci"] == pytest.approx(spread_interval(value, draws[name].std(ddof=1), items))
    assert result["n"]["masks"] == masks.any(axis=(1, 2)).sum()
    with pytest.raises(ValueError, match=r"both must be \(N, H, W\)"):
        summarise(table, masks=masks[:, 1:], maps=maps)


def test_empty_masks_have_no_pixel_figures(table):
    maps = {"r_dual": np.ones((70, 2, 2))}
    pixel = summarise(table, masks=np.zeros((70, 2, 2), bool), maps=maps)["pixel"]
    names = ("auroc", "ap", "best_dice", "au_pro")
    assert pixel == {"r_dual": {key: None for name in names for key in (name, f"{name}_ci")}}


def test_decision_at_the_detectors_threshold(table):
    decision = summarise(table)["decision"]
    predicted = table.columns["r_dual"] > 0.5
    assert decision["sensitivity"] == pytest.approx(predicted[40:].mean())
    assert decision["specificity"] == pytest.approx(1 - predicted[:40].mean())
    assert decision["sensitivity_ci"] == list(proportion_interval(predicted[40:]))
    assert decision["specificity_ci"] == list(proportion_interval(~predicted[:40]))


def test_patients_reach_the_bootstrap(table):
    patients = [f"{i // 10}" for i in range(70)]
    alone, grouped = (summarise(replace(table, patients=p))["image"]["r_dual"] for p in (None, tuple(patients)))
    assert alone["auroc"] == grouped["auroc"]
    assert all(np.ptp(grouped[key]) > np.ptp(alone[key]) for key in ("auroc_ci", "ap_ci", "chi2_ci"))
    patients = tuple(patients)
    alone, grouped = (summarise(replace(table, patients=p))["decision"] for p in (None, patients))
    assert alone["specificity_ci"] != grouped["specificity_ci"]


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_is_null_with_a_warning(table, label):
    with pytest.warns(RuntimeWarning, match="one class"):
        result = summarise(table.subset(np.flatnonzero(table.gt_label == label)))
    figures = result["image"]["a_rec"]
    keys = {"auroc", "ap", "chi2", "fpr_at_95_tpr", "sensitivity_at_95_specificity"}
    undefined = dict.fromkeys(keys | {f"{key}_ci" for key in keys})
    assert figures == undefined | {"members": [None, None]}
    assert result["decision"]["sensitivity" if label == 0 else "specificity"] is None
    json.dumps(result, allow_nan=False)


def test_unlabelled_images_have_only_a_count(table):
    result = summarise(ScoreTable(table.image_path, None, table.columns))
    assert result == {"image": {}, "kinds": {}, "pixel": {}, "n": {"unlabelled": 70}, "seed": 0}


def test_the_result_is_strict_json(table):
    masks = np.zeros((70, 2, 2), bool)
    masks[50, 0] = True
    result = summarise(table, masks=masks, maps={"r_dual": np.random.default_rng(0).random((70, 2, 2))})
    assert json.loads(json.dumps(result, allow_nan=False)) == result


def test_a_score_that_is_not_finite_names_the_image(table):
    table.columns["r_dual"][7] = np.inf
    for check in (summarise, check_finite):
        with pytest.raises(MedadError, match="7.png: r_dual is not finite"):
            check(table)


def test_a_map_that_is_not_finite_names_the_image(table):
    maps = np.zeros((70, 2, 2))
    maps[9, 1, 1] = np.nan
    with pytest.raises(MedadError, match="9.png: a_intra is not finite"):
        summarise(table, masks=maps > 0, maps={"a_intra": maps})


def test_no_images_is_an_error():
    with pytest.raises(ValueError, match="no images"):
        summarise(ScoreTable((), np.array([]), {"pred_score": np.array([])}))
