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
from medad.experiments.studies.synthetic import Row, of_preset, rows_of, store_rows
from medad.workflows.crossfit import Pools

PLAIN, STARRED = Row("fpi", False, "tiny"), Row("fpi", True, "tiny")


@pytest.fixture(scope="module")
def results(phantoms, tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    options = of_preset("tiny", size=64, jobs=1, device="cpu")
    stored = store_rows("phantoms", phantoms.parent, folder, options, ("fpi",), epochs=3)
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
    names = [row.name for row in (*rows_of("paper"), *rows_of("quick"))]
    assert len(set(names)) == 16 and {"nsa", "nsa-starred", "cutpaste_e2e-quick", "fpi-starred-quick"} < set(names)


@pytest.mark.parametrize("row", [PLAIN, STARRED])
def test_scores_of_the_last_and_of_the_chosen_epoch_are_stored(results, row):
    scores, about = read(results, row.name)
    assert list(scores) == [
        f"{moment}-{name}" for moment in ("last", "chosen") for name in ("pred_score", "max", "top")
    ]
    assert all(len(values) == 16 for values in scores.values())
    assert about["epochs"]["last"] == 3 and list(about["auc_u"]) == [1, 2, 3]
    assert about["auc_u"][about["epochs"]["chosen"]] == max(about["auc_u"].values())
    assert about["options"]["use_unlabeled"] == row.starred
    assert about["learned"]["normal"] + about["judged"]["normal"] == 12
    assert (about["epochs"]["chosen"] == 3) == bool((scores["last-pred_score"] == scores["chosen-pred_score"]).all())


def test_nothing_is_judged_or_tested_on_what_was_learned_from(phantoms, tmp_path, monkeypatch):
    seen = {}

    def train(options, lengths, normal, unlabeled):
        seen["learned"] = {*normal.ids, *unlabeled.ids}
        seen["scored"] = set()

        def score(images):
            assert images.labels is None and seen["learned"].isdisjoint(images.ids)
            seen["scored"] |= set(images.ids)
            scores = {name: np.arange(len(images), dtype=float) for name in synthetic.SCORES}
            return dict.fromkeys(lengths, scores)

        return score

    monkeypatch.setattr(synthetic, "train_snapshots", train)
    options = of_preset("tiny", size=64, jobs=1, device="cpu")
    store_rows("phantoms", phantoms.parent, tmp_path, options, ("fpi",), epochs=20)
    listed = json.loads((phantoms / "data.json").read_text())
    assert len(seen["learned"] | seen["scored"]) == 12 + 10 + 16 and len(listed) == 2
    _, about = read(tmp_path, STARRED.name)
    assert list(about["auc_u"]) == list(range(2, 21, 2))
    assert about["epochs"]["chosen"] == 2  # the first of equals


def test_a_stored_row_is_left_alone(results, phantoms, monkeypatch):
    monkeypatch.setattr(Pools, "folds", lambda *_: pytest.fail("computed again"))
    store_rows("phantoms", phantoms.parent, results, of_preset("tiny", size=64), ("fpi",))


def test_the_page_shows_both_figures(results):
    text = page(results)
    scores, about = read(results, STARRED.name)
    with (results / "phantoms" / "synthetic" / "images.csv").open() as stream:
        labels = np.array([int(row["gt_label"]) for row in csv.DictReader(stream)])
    for moment in ("last", "chosen"):
        values = scores[f"{moment}-pred_score"]
        cells = line(text.split("Score `max`")[0], "fpi* (tiny)", f"{moment} ({about['epochs'][moment]})")
        assert cells[2].startswith(f"{100 * auroc(labels, values):.1f}")
        assert cells[3].startswith(f"{100 * average_precision(labels, values):.1f}")
    assert "What the star changes" in text and "Score `top`" in text
    assert line(text, "fpi* (tiny)", f"{100 * about['auc_u'][1]:.1f}")


def test_published_figures_stand_beside_those_of_the_same_images(results, tmp_path):
    (tmp_path / "brain_tumor").symlink_to(results / "phantoms")
    text = page(tmp_path)
    assert line(text.split("Score `max`")[0], "fpi* (tiny)", "last (3)")[-1] == "86.6 / 83.8"
    assert "86.6 / 83.8" not in text.split("Score `max`")[1]
    assert line(text.split("What the star")[1].split("AUC_u by")[0], "fpi (tiny)")[-1] == "+3.5"
