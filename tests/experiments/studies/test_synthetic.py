"""Methods that learn from pasted anomalies: rows are stored once, an epoch is chosen without labels, both are shown."""

import csv
import json

import numpy as np
import pytest
import yaml
from stored_runs import line

from medad.evaluation.metrics import auroc, average_precision
from medad.experiments.pages.synthetic import page
from medad.experiments.studies import synthetic
from medad.experiments.studies.synthetic import lengths, store_rows
from medad.experiments.synthetic_rows import Row, rows_of
from medad.workflows.crossfit import Pools

PLAIN, STARRED = Row("fpi", False, "tiny"), Row("fpi", True, "tiny")
AGAIN, TWO_STAGES = Row("fpi", True, "tiny", seed=1), Row("cutpaste", False, "tiny")
SETTINGS = {"size": 64, "jobs": 1, "device": "cpu"}
THREE_EPOCHS = SETTINGS | {"options": {"epochs": 3, "steps": None}}


@pytest.fixture(scope="module")
def results(phantoms, tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    stored = store_rows("phantoms", phantoms.parent, [PLAIN, STARRED, AGAIN], folder, **THREE_EPOCHS)
    store_rows("phantoms", phantoms.parent, [TWO_STAGES], folder, **SETTINGS, options={"steps": 5})
    assert stored == folder / "phantoms" / "synthetic"
    return folder


def read(results, name):
    folder = results / "phantoms" / "synthetic"
    with (folder / f"{name}.csv").open() as stream:
        names, *lines = csv.reader(stream)
    return dict(zip(names, np.array(lines, float).T, strict=True)), yaml.safe_load(
        (folder / f"{name}.yaml").read_text()
    )


def test_there_is_a_row_for_every_method_and_its_starred_form():
    rows = [*rows_of("paper"), *rows_of("quick"), *rows_of("quick", ("nsa",), (1, 2))]
    names = {row.name for row in rows}
    assert len(names) == len(rows) == 2 * 14 + 4
    assert {
        "nsa",
        "nsa-starred",
        "cutpaste_e2e-quick",
        "cutpaste-efficientnet_lite0",
        "nsa-starred-quick-seed2",
    } < names
    assert {row.method for row in rows if row.starred} == {"fpi", "pii", "nsa", "nsa_nu", "cutpaste_e2e"}
    assert rows_of("quick", ("cutpaste",))[1].options().options == {"encoder": "efficientnet_lite0"}


@pytest.mark.parametrize("row", [PLAIN, STARRED])
def test_scores_of_the_last_and_of_the_chosen_epoch_are_stored(results, row):
    scores, about = read(results, row.name)
    assert list(scores) == [
        f"{moment}-{name}" for moment in ("last", "chosen") for name in ("pred_score", "max", "top")
    ]
    assert Row.of_stored(about) == row
    assert all(len(values) == 16 for values in scores.values())
    assert about["epochs"]["last"] == 3 and list(about["auc_u"]) == [1, 2, 3]
    assert about["auc_u"][about["epochs"]["chosen"]] == max(about["auc_u"].values())
    assert about["options"]["use_unlabeled"] == row.starred
    assert about["learned"]["normal"] + about["judged"]["normal"] == 12
    assert (about["epochs"]["chosen"] == 3) == bool((scores["last-pred_score"] == scores["chosen-pred_score"]).all())


def test_a_density_is_fitted_to_every_snapshot_of_a_classifier(results):
    scores, about = read(results, TWO_STAGES.name)
    assert {name.split("-")[1] for name in scores} == {"pred_score", "classifier"}
    assert list(about["auc_u"]) == [1, 2, 3]  # five steps, two an epoch: the last is no whole epoch
    assert about["options"]["steps"] == 5 and Row.of_stored(about) == TWO_STAGES


def test_nothing_is_judged_or_tested_on_what_was_learned_from(phantoms, tmp_path, monkeypatch):
    seen = {}

    def train(options, lengths, normal, unlabeled):
        seen["learned"] = {*normal.ids, *unlabeled.ids}
        seen["scored"] = set()

        def score(images):
            assert images.labels is None and seen["learned"].isdisjoint(images.ids)
            seen["scored"] |= set(images.ids)
            scores = {name: np.arange(len(images), dtype=float) for name in synthetic.SCORES}
            return dict.fromkeys(lengths(20), scores)

        return score

    monkeypatch.setattr(synthetic, "train_snapshots", train)
    store_rows("phantoms", phantoms.parent, [PLAIN, STARRED], tmp_path, **SETTINGS)
    listed = json.loads((phantoms / "data.json").read_text())
    assert len(seen["learned"] | seen["scored"]) == 12 + 10 + 16 and len(listed) == 2
    _, about = read(tmp_path, STARRED.name)
    assert list(about["auc_u"]) == list(range(2, 21, 2))
    assert about["epochs"]["chosen"] == 2  # the first of equals


def test_a_stored_row_is_left_alone(results, phantoms, monkeypatch):
    monkeypatch.setattr(Pools, "folds", lambda *_: pytest.fail("computed again"))
    store_rows("phantoms", phantoms.parent, [PLAIN, STARRED, TWO_STAGES], results, **SETTINGS)


def test_the_page_shows_both_figures(results):
    text = page(results)
    scores, about = read(results, PLAIN.name)
    with (results / "phantoms" / "synthetic" / "images.csv").open() as stream:
        labels = np.array([int(row["gt_label"]) for row in csv.DictReader(stream)])
    for moment in ("last", "chosen"):
        values = scores[f"{moment}-pred_score"]
        cells = line(text.split("Score `max`")[0], "fpi (tiny)", f"{moment} ({about['epochs'][moment]})")
        assert cells[2].startswith(f"{100 * auroc(labels, values):.1f}")
        assert cells[3].startswith(f"{100 * average_precision(labels, values):.1f}")
    assert "What the star changes" in text and "Score `top`" in text and "Score `mean`" not in text
    assert line(text, "fpi (tiny)", f"{100 * about['auc_u'][1]:.1f} (1)")
    assert "cutpaste (tiny)" in text.split("Score `classifier`")[1]
    gained = 100 * (auroc(labels, scores["chosen-pred_score"]) - auroc(labels, scores["last-pred_score"]))
    changed = line(text.split("What the choice of the epoch")[1].split("AUC_u along")[0], "fpi (tiny)")[-1]
    assert float(changed.rstrip("*")) == pytest.approx(gained, abs=0.051)


def test_trainings_with_several_seeds_are_one_row(results):
    text = page(results).split("Score `max`")[0]
    cells = line(text, "fpi* (tiny)", "last (3)")
    both = [read(results, row.name)[0]["last-pred_score"] for row in (STARRED, AGAIN)]
    assert not np.array_equal(*both) and "±" in cells[2] and cells[-1] == "2"


def test_published_figures_stand_beside_those_of_the_same_images(results, tmp_path):
    (tmp_path / "brain_tumor").symlink_to(results / "phantoms")
    text = page(tmp_path)
    assert line(text.split("Score `max`")[0], "fpi* (tiny)", "last (3)")[-1] == "86.6 / 83.8"
    assert "86.6 / 83.8" not in text.split("Score `max`")[1]
    assert line(text.split("What the star")[1].split("What the choice")[0], "fpi (tiny)")[-1] == "+3.5"


def test_lengths_are_equally_far_apart():
    assert lengths(50) == list(range(5, 51, 5)) and lengths(3) == [1, 2, 3] and lengths(25)[-1] == 25
