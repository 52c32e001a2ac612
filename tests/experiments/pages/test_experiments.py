"""A page is printed anew from the scores and facts beside it."""

from types import SimpleNamespace

import numpy as np
import pytest

from medad.errors import UserError
from medad.evaluation.scores import ScoreTable
from medad.experiments.grid.results import export_scores, import_scores
from medad.experiments.pages.experiments import from_scores
from medad.experiments.reproduce.document import Facts, document

FACTS = Facts("some", "paper", "bf16", "a machine", [0, 1], {"epochs": 100}, "2026-01-02", "A note.")


def table(seed, *names):
    rng = np.random.default_rng(seed)
    columns = {name: np.round(rng.normal(size=8), 4) for name in ("pred_score", *names)}
    return ScoreTable(tuple("abcdefgh"), np.repeat([0, 1], 4), columns, ("",) * 4 + ("tumour",) * 4)


@pytest.fixture
def tables():
    return {
        "K = 15": [table(s, "a_rec_1", "a_rec_2", "a_intra", "a_inter") for s in (0, 1)],
        "K = 3": [table(2, "a_rec_1")],
    }


@pytest.fixture
def folder(tables, tmp_path):
    folder = tmp_path / "reproduce"
    folder.mkdir()
    records = [
        SimpleNamespace(label=label, seed=seed, scores=scores)
        for label, some in tables.items()
        for seed, scores in enumerate(some)
    ]
    export_scores(records, folder / "table5.csv")
    FACTS.write(folder / "table5.yaml")
    return folder


def test_exported_scores_come_back(tables, folder):
    found = import_scores(folder / "table5.csv")
    assert list(found) == list(tables)
    for label, some in tables.items():
        for ours, theirs in zip(found[label], some, strict=True):
            assert (ours.image_path, ours.kinds) == (theirs.image_path, theirs.kinds)
            assert ours.gt_label.tolist() == theirs.gt_label.tolist()
            assert {n: c.tolist() for n, c in ours.columns.items()} == {
                n: c.tolist() for n, c in theirs.columns.items()
            }


def test_a_page_is_printed_anew_and_keeps_when_its_runs_were_trained(tables, folder):
    (folder.parent / "some").mkdir()
    (folder.parent / "some" / "deduplicated.txt").write_text("a\nb\ne\nf\ng\n")
    text = from_scores("table5", folder.parent)
    first = document("table5", FACTS, tables, frozenset("abefg"))
    assert text.split("\n\n")[3:] == first.split("\n\n")[3:]
    assert "AUROC, de-duplicated" in text
    assert "Trained until 2026-01-02 by `medad reproduce table5`: preset paper **with other" in text
    assert "epochs 100**, bf16, seeds 0, 1. Machine: a machine." in text
    assert "A note." in text and "by `medad results table5`." in text
    assert "Printed on 2026-01-02 by `medad reproduce table5`" in first


def test_what_cannot_be_printed_is_named(folder):
    (folder / "table6.yaml").write_text("dataset: some")
    with pytest.raises(UserError, match=r"table6\.yaml: cannot be read"):
        from_scores("table6", folder.parent)
    (folder / "table5.csv").write_text("label,seed\nK = 3,0\n")
    with pytest.raises(UserError, match=r"table5\.csv: no table of scores"):
        from_scores("table5", folder.parent)
