"""Pages of the paper's experiments: our figures, the published ones and their differences."""

import re

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from medad.evaluation.metrics import chi_squared_distance
from medad.evaluation.scores import ScoreTable
from medad.experiments.paper import SCORES, TABLE_3, TABLE_5
from medad.experiments.reproduce.cells import MAKE
from medad.experiments.reproduce.sections import SECTIONS

LABELS = np.repeat([0, 1], 40)
KINDS = tuple(np.where(LABELS == 0, "normal", np.where(np.arange(80) % 2, "glioma", "meningioma")))


def make_table(seed):
    rng = np.random.default_rng(seed)
    columns = {name: LABELS + rng.normal(size=80) for name in ("a_rec_1", "a_rec_2", *SCORES[1:])}
    return ScoreTable(tuple(map(str, range(80))), LABELS, columns | {"pred_score": columns["r_dual"]}, KINDS)


def lines(name, labels, dataset="brain_tumor", kept=None):
    tables = {label: [make_table(seed), make_table(seed + 50)] for seed, label in enumerate(labels)}
    return tables, [
        line.strip("| ").split(" | ") for line in "\n".join(SECTIONS[name][1](dataset, tables, kept)).splitlines()
    ]


def mean(tables, score, metric):
    return 100 * np.mean([metric(LABELS, table.columns[score]) for table in tables])


def test_every_experiment_has_a_page():
    assert SECTIONS.keys() == MAKE.keys()


def test_differences_are_ours_minus_published():
    tables, rows = lines("table3", ("ae", "memae", "aeu"))
    row = next(row for row in rows if row[:2] == ["memae", "a_inter"])
    ours = mean(tables["memae"], "a_inter", roc_auc_score)
    published = TABLE_3["brain_tumor"]["a_inter"][1]
    assert row[2].startswith(f"{ours:.1f} ± ")
    assert row[4] == "2"
    assert row[5] == f"{published:.1f}"
    assert row[6] == f"{ours - published:+.1f}"
    assert len([row for row in rows if row[0] == "aeu"]) == len(SCORES)
    _, rows = lines("table3", ("ae",), "other")
    assert rows[0] == ["Published on RSNA, VinDr-CXR, CXAD, brain_tumor, LAG, not on other."]
    assert not any("difference" in cell or "published" in cell for row in rows[1:] for cell in row)
    _, rows = lines("table3", ("ae",), "lag")
    assert rows[0] == ["Published on LAG; a difference is ours minus published."]
    assert next(row for row in rows if row[:2] == ["ae", "r_dual"])[5] == "89.0"


def test_both_metrics_stand_beside_the_published_ones():
    tables, rows = lines("table5", ("K = 15", "K = 3"), "rsna")
    row = next(row for row in rows if row[:2] == ["3", "a_inter"])
    auroc, ap = (mean(tables["K = 3"], "a_inter", metric) for metric in (roc_auc_score, average_precision_score))
    assert row[5] == "81.5 / 81.0"
    assert row[6] == f"{auroc - TABLE_5[3][1][0]:+.1f} / {ap - TABLE_5[3][1][1]:+.1f}"
    assert [row[0] for row in rows if row[1:2] == ["a_intra"]] == ["3", "15"]


@pytest.mark.parametrize(
    ("name", "labels"),
    [("table5", ("K = 3",)), ("table6", ("ae, ensemble", "aeu, MC dropout")), ("fig6", ("0.6",)), ("fig8", ("ae",))],
)
def test_no_difference_is_taken_between_data_sets(name, labels):
    _, rows = lines(name, labels, "brain_tumor")
    head = next(row for row in rows if "published (RSNA)" in row)
    table = rows[rows.index(head) + 2 :]
    assert head[-1] == "published (RSNA)"
    assert table
    assert all(len(row) == len(head) and not re.search(r"[+-]\d", " ".join(row[2:])) for row in table)
    _, rows = lines(name, labels, "rsna")
    assert any(row[-2:] == ["published (RSNA)", "difference"] for row in rows)


@pytest.mark.parametrize(("name", "label"), [("table3", "ae"), ("table5", "K = 3"), ("fig8", "ae"), ("table4", "none")])
def test_the_de_duplicated_split_stands_beside_the_published_one(name, label):
    kept = frozenset(map(str, (*range(15), *range(40, 80))))
    tables, rows = lines(name, (label,), kept=kept)
    head = next(row for row in rows if any("de-duplicated" in cell for cell in row))
    place = next(i for i, cell in enumerate(head) if "de-duplicated" in cell)
    chosen, score = sorted(map(int, kept)), {"table3": "a_inter", "table5": "a_intra", "fig8": "a_inter"}.get(name)
    row = next(row for row in rows if score in (row + [""])[:2] or row[2:3] == ["glioma"])
    some = [table.subset(chosen) for table in tables[label]]
    if name == "fig8":
        expected = f"{np.mean([chi_squared_distance(t.gt_label, t.columns[score]) for t in some]):.2f}"
    elif name == "table4":
        some = [t.subset(np.flatnonzero((t.gt_label == 0) | (np.array(t.kinds) == "glioma"))) for t in some]
        members = [roc_auc_score(t.gt_label, t.columns[f"a_rec_{k}"]) for t in some for k in (1, 2)]
        expected = f"{100 * np.mean(members):.1f} ± "
    else:
        expected = f"{100 * np.mean([roc_auc_score(t.gt_label, t.columns[score]) for t in some]):.1f} ± "
    assert row[place].startswith(expected)


def test_kinds_are_tested_one_by_one():
    tables, rows = lines("table4", ("none", "normal", "glioma", "meningioma"))
    row = next(row for row in rows if row[:3] == ["normal + glioma", "a_inter", "glioma (seen)"])
    chosen = np.flatnonzero((LABELS == 0) | (np.array(KINDS) == "glioma"))
    some = [t.columns["a_inter"][chosen] for t in tables["glioma"]]
    assert row[3].startswith(f"{100 * np.mean([roc_auc_score(LABELS[chosen], s) for s in some]):.1f} ± ")
    assert sum(cell.endswith(" (seen)") for row in rows for cell in row) == 2
    assert ["normal + seen", "a_inter", "64.2 / 70.8", "70.0 / 75.8"] in rows


def test_figure_6_and_8_and_table_2():
    _, rows = lines("fig6", ("0", "0.2"))
    assert next(row for row in rows if row[:2] == ["r_dual", "0"])[5] == "87.0"
    _, rows = lines("fig8", ("ae",), "rsna")
    assert re.fullmatch(r"[+-]\d+\.\d\d", next(row for row in rows if row[0] == "r_dual")[4])
    _, rows = lines("table2", ("ae alone", "ae", "aeu"))
    assert next(row for row in rows if row[0] == "ae")[4] == "79.7 / 71.9"
    assert next(row for row in rows if row[0] == "DDAD, r_dual, aeu")[4] == "97.2 / 95.2"


@pytest.mark.parametrize("name", SECTIONS)
def test_pages_without_results_do_not_fail(name):
    assert "".join(SECTIONS[name][1]("brain_tumor", {}, None))
