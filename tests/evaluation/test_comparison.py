"""Methods on one data set: means over seeds, and tests against the best."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from medad.evaluation.comparison import compare, score_names
from medad.evaluation.curves import auroc_of_counts
from medad.evaluation.scores import ScoreTable
from medad.evaluation.statistics import delong_test, holm, paired_bootstrap

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
    stacked = {label: np.stack([t.columns["pred_score"] for t in some]) for label, some in tables.items()}
    best = max((good, alike), key=lambda row: row.auroc.mean)
    others = [row for row in (good, alike, poor) if row is not best]
    expected = holm([delong_test(LABELS, stacked[best.label], stacked[row.label]).p for row in others])
    assert best.p is None
    assert [row for row in (good, alike, poor) if row.best] == [best]
    assert [row.p for row in others] == pytest.approx(list(expected))
    assert not poor.close
    assert others[0].close


def test_members_are_averaged_and_other_methods_left_out(tables):
    (row,) = compare(tables, "a_rec")
    values = [[roc_auc_score(LABELS, t.columns[f"a_rec_{k}"]) for k in (1, 2)] for t in tables["good"]]
    assert row.auroc.mean == pytest.approx(np.mean(values))
    assert row.auroc.sd == pytest.approx(np.std(np.mean(values, axis=1), ddof=1))
    assert row.p is None
    assert not row.best  # of one method
    assert score_names(tables) == ["pred_score", "a_rec"]
    assert compare(tables, "r_dual") == []


def test_patients_are_drawn_as_a_whole(tables):
    patients = tuple(f"{i // 10}" for i in range(100))
    known = {label: [replace(table, patients=patients) for table in some] for label, some in tables.items()}
    alone, whole = compare(tables), compare(known)
    stacked = {label: np.stack([t.columns["pred_score"] for t in some]) for label, some in tables.items()}
    best = next(row.label for row in whole if row.p is None)
    others = [row for row in whole if row.p is not None]
    tested = [
        paired_bootstrap(LABELS, stacked[best], stacked[row.label], auroc_of_counts, patients=patients).p
        for row in others
    ]
    assert [row.p for row in others] == pytest.approx(list(holm(tested)))
    assert [a.auroc.mean for a in alone] == [b.auroc.mean for b in whole]
    assert all(a.auroc.low != b.auroc.low for a, b in zip(alone, whole, strict=True))
    single = {label: [replace(table, patients=NAMES) for table in some] for label, some in tables.items()}
    assert [row.p for row in compare(single)] == [row.p for row in alone]


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
