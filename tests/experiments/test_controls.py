"""Controls stand on the pages: what sees no pathology, beside the methods."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from medad.evaluation.scores import ScoreTable, write_scores
from medad.experiments import controls

NAMES = tuple(f"images/{i}.png" for i in range(20))
LABELS = np.repeat([0, 1], 10)
KEPT = np.r_[:6, 10:20]


@pytest.fixture
def results(tmp_path):
    rng = np.random.default_rng(0)
    columns = {name: LABELS + rng.normal(size=20) for name in ("mean_gradient", "thumbnail")}
    table = ScoreTable(NAMES, LABELS, {"pred_score": columns["thumbnail"]} | columns)
    folder = tmp_path / "some" / "controls" / "seed0"
    folder.mkdir(parents=True)
    write_scores(folder / "scores.csv", table)
    (tmp_path / "some" / "deduplicated.txt").write_text("".join(f"{NAMES[i]}\n" for i in KEPT))
    return tmp_path, {name: in_percent(column) for name, column in columns.items()}


def in_percent(column):
    return tuple(f"{100 * roc_auc_score(LABELS[rows], column[rows]):.1f}" for rows in (slice(None), KEPT))


def test_every_control_has_a_line_with_both_splits(results):
    folder, expected = results
    heading, _, table, then = controls.section("some", folder, "Methods")
    assert (heading, then) == ("## What sees no pathology", "## Methods")
    head, _, *lines = (line.strip("| ").split(" | ") for line in table.splitlines())
    assert head == ["control", "AUROC", "AP", "AUROC, de-duplicated", "AP, de-duplicated"]
    assert [line[0] for line in lines] == list(expected)
    for name, *cells in lines:
        assert (cells[0].split(" [")[0], cells[2].split(" [")[0]) == expected[name]
    assert len(list(controls.section("some", folder))) == 3


def test_without_stored_controls_there_is_no_section(tmp_path):
    assert list(controls.section("some", tmp_path, "Methods")) == []
