"""Methods on one data set: means over seeds, and tests against the best."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm, t
from sklearn.metrics import average_precision_score, roc_auc_score

from medad.evaluation.comparison import adjusted_p, compare, score_names, training_variances
from medad.evaluation.delong import paired_variance
from medad.evaluation.intervals import training_margin
from medad.evaluation.scores import ScoreTable

LABELS = np.repeat([0, 1], 50)
NAMES = tuple(f"{i}.png" for i in range(100))


def make_table(strength, seed, members=0):
    rng = np.random.default_rng(seed)
    columns = {"pred_score": rng.normal(size=100) + strength * LABELS}
    columns |= {f"a_rec_{k + 1}": rng.normal(size=100) + strength * LABELS for k in range(members)}
    return ScoreTable(NAMES, LABELS, columns)


@pytest.fixture
def tables():
    return {
        "good": [make_table(2, seed, members=2) for seed in range(3)],
        "alike": [make_table(1.9, 10)],
        "poor": [make_table(0, seed) for seed in (20, 21)],
    }


def test_rows_are_means_over_seeds_with_tests_against_the_best(tables):
    good, alike, poor = compare(tables)
    values = [roc_auc_score(LABELS, table.columns["pred_score"]) for table in tables["good"]]
    assert good.auroc.mean == pytest.approx(np.mean(values))
    assert good.auroc.sd == pytest.approx(np.std(values, ddof=1))
    assert good.auroc.low < good.auroc.mean < good.auroc.high
    assert alike.ap.mean == pytest.approx(average_precision_score(LABELS, tables["alike"][0].columns["pred_score"]))
    assert alike.auroc.sd is None
    assert (good.seeds, alike.seeds, poor.seeds) == (3, 1, 2)
    best = max((good, alike), key=lambda row: row.auroc.mean)
    others = [row for row in (good, alike, poor) if row is not best]
    assert best.p is None
    assert [row for row in (good, alike, poor) if row.best] == [best]
    assert others[0].close
    assert others[0].lone  # alike was trained once
    assert poor.lone == (best is alike)


def test_p_holds_the_images_and_the_trainings(tables):
    _, poor = compare({label: tables[label] for label in ("good", "poor")})
    values = [[roc_auc_score(LABELS, t.columns["pred_score"]) for t in tables[label]] for label in ("good", "poor")]
    own = np.var(values[0], ddof=1), np.var(values[1], ddof=1)
    shared = (2 * own[0] + own[1]) / 3
    stacked = [np.stack([t.columns["pred_score"] for t in tables[label]]) for label in ("good", "poor")]
    variance = paired_variance(LABELS, *stacked) + max(own[0], shared) / 3 + max(own[1], shared) / 2
    difference = np.mean(values[0]) - np.mean(values[1])
    assert poor.p == pytest.approx(2 * t.sf(difference / np.sqrt(variance), 3))
    assert not poor.close
    assert not poor.lone


def test_p_of_single_trainings_holds_the_images_alone(tables):
    once = {label: some[:1] for label, some in tables.items()}
    rows = compare(once)
    best = next(row for row in rows if row.best)
    first = once[best.label][0].columns["pred_score"]
    for row in rows:
        if row is not best:
            second = once[row.label][0].columns["pred_score"]
            statistic = (best.auroc.mean - row.auroc.mean) / np.sqrt(paired_variance(LABELS, first, second))
            assert row.p == pytest.approx(1 - (1 - 2 * t.sf(statistic, 49)) ** 3)
            assert row.lone


def test_p_of_more_methods_is_corrected_for_all_pairs():
    alone, many = adjusted_p(0.03, 0.01**2, 99, 2), adjusted_p(-0.03, 0.01**2, 99, 20)
    assert alone == pytest.approx(2 * t.sf(3, 99))
    assert many == pytest.approx(1 - (1 - alone) ** 190)
    assert adjusted_p(0.0, 1.0, 99, 20) == 1
    assert adjusted_p(0.0, 0.0, 99, 2) == 1
    assert np.isnan(adjusted_p(0.1, 0.0, 99, 2))
    assert np.isnan(adjusted_p(0.0, float("nan"), 0, 2))
    assert 0 < adjusted_p(0.9, 1e-4, 99, 2) < 1e-12


def test_a_method_lends_its_spread_to_one_that_has_less():
    steady, wild, once = np.array([0.9, 0.9, 0.9]), np.array([0.7, 0.8, 0.9]), np.array([0.5])
    found = training_variances([steady, wild, once])
    assert found.variances == pytest.approx([0.005 / 3, 0.01 / 3, 0])
    assert found.degrees == 4


def equal_methods(rng, methods, trainings, sd):
    """Scores of methods with one expected AUROC, which each training misses by chance."""
    labels, shared, found = np.repeat([0, 1], 60), rng.normal(size=120), []
    for _ in range(methods):
        distance = np.sqrt(2) * norm.ppf(np.clip(0.85 + sd * rng.normal(size=(trainings, 1)), 0.55, 0.99))
        own = rng.normal(size=120) + rng.normal(size=(trainings, 120)) / 2
        found.append(shared + own + distance * labels)
    return labels, found


def test_of_equal_methods_none_is_worse_in_95_percent():
    rng, wrong = np.random.default_rng(0), []
    names = tuple(f"{i}.png" for i in range(120))
    for _ in range(16):
        labels, found = equal_methods(rng, methods=5, trainings=3, sd=0.08)
        many = {str(i): [ScoreTable(names, labels, {"pred_score": s}) for s in some] for i, some in enumerate(found)}
        wrong.append(any(row.p is not None and row.p <= 0.05 for row in compare(many)))
    assert np.mean(wrong) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 16)


def test_members_are_averaged_and_other_methods_left_out(tables):
    (row,) = compare(tables, "a_rec")
    values = [[roc_auc_score(LABELS, t.columns[f"a_rec_{k}"]) for k in (1, 2)] for t in tables["good"]]
    assert row.auroc.mean == pytest.approx(np.mean(values))
    assert row.auroc.sd == pytest.approx(np.std(values, ddof=1))  # each member is a training
    assert row.auroc.high - row.auroc.low > 2 * training_margin(np.ravel(values)) * 0.9
    assert row.p is None
    assert not row.best  # of one method
    assert score_names(tables) == ["pred_score", "a_rec"]
    assert compare(tables, "r_dual") == []


def test_a_patient_counts_once(tables):
    patients = tuple(f"{i // 10}" for i in range(100))
    known = {label: [replace(table, patients=patients) for table in some] for label, some in tables.items()}
    alone, whole = compare(tables), compare(known)
    assert [a.auroc.mean for a in alone] == [b.auroc.mean for b in whole]
    for a, b in zip(alone, whole, strict=True):
        assert b.auroc.high - b.auroc.low > a.auroc.high - a.auroc.low
    assert [b.p for b in whole if b.p] != [a.p for a in alone if a.p]
    single = {label: [replace(table, patients=NAMES) for table in some] for label, some in tables.items()}
    assert [row.p for row in compare(single)] == pytest.approx([row.p for row in alone])


def test_one_image_of_a_class_allows_no_test(tables):
    few = [0, *range(50, 100)]
    rows = compare({label: [table.subset(few) for table in some] for label, some in tables.items()})
    others = [row for row in rows if row.p is not None]
    assert len(others) == 2
    assert all(np.isnan(row.p) and row.close for row in others)


def test_images_are_matched_by_name(tables):
    order = np.random.default_rng(0).permutation(100)
    shuffled = {label: [t.subset(order) if label == "poor" else t for t in some] for label, some in tables.items()}
    for a, b in zip(compare(tables), compare(shuffled), strict=True):
        assert a.auroc.mean == pytest.approx(b.auroc.mean)
        assert (a.p or 0) == pytest.approx(b.p or 0)
    other = ScoreTable(("x.png", *NAMES[1:]), LABELS, {"pred_score": np.arange(100.0)})
    with pytest.raises(ValueError, match="not the same items"):
        compare(tables | {"other": [other]})
    with pytest.raises(ValueError, match="labelled"):
        compare({"x": [ScoreTable(NAMES, None, {"pred_score": np.arange(100.0)})]})
