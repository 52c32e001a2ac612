"""The table of what unlabeled images are worth: what is learned from, what is stored, what its page says."""

from contextlib import nullcontext

import numpy as np
import pytest

from medad.data.repartition import Repartition
from medad.evaluation.delong import delong_test
from medad.evaluation.scores import ScoreTable
from medad.experiments.reproduce.ocssl import command, curves, scoring
from medad.experiments.reproduce.ocssl.columns import Column, best, controls_of, part_of, read_columns
from medad.experiments.reproduce.ocssl.command import reproduce_ocssl
from medad.experiments.reproduce.ocssl.differences import difference
from medad.experiments.reproduce.ocssl.page import page
from medad.experiments.reproduce.ocssl.rows import Row
from medad.experiments.reproduce.ocssl.settings import OTHER, Setting, drawn, read_setting
from medad.experiments.reproduce.ocssl.stored import FOLDER, read_tables

PIXELS = {"extractor": "pixels", "size": 64}
ROWS = (
    Row("knn", "knn", "tiny", PIXELS),
    Row("nu", "nu", "tiny", PIXELS, seeds=(0, 1)),
)


@pytest.fixture(scope="module")
def setting(phantoms):
    return Setting("brain_tumor", phantoms.name)


@pytest.fixture(scope="module")
def computed(phantoms, setting, tmp_path_factory):
    """The root of stored results with two rows of the phantoms."""
    out = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scoring, "read_setting", lambda given, data, size: read_setting(given, data, 64))
        scoring.compute([setting, Setting("gone", "gone")], ROWS, phantoms.parent, out, jobs=1)
    return out


def table(scores, labels, ids=None, kinds=None):
    names = tuple(ids or (f"{i}.png" for i in range(len(scores))))
    return ScoreTable(names, np.array(labels), {"pred_score": np.array(scores, float)}, kinds)


def test_a_kind_can_be_left_out_of_the_unlabeled_images(phantoms):
    pool = Repartition.read(phantoms).unlabeled
    kind = next(entry.kind for entry in pool if entry.kind and entry.label == 1)
    usual = drawn(Setting("a", phantoms.name), pool)
    without = drawn(Setting("b", phantoms.name, without=kind), pool)
    assert set(without) < set(usual)
    assert {entry.kind for entry in set(usual) - set(without)} == {kind}


def test_labels_of_training_images_are_not_given(phantoms, setting):
    given = read_setting(setting, phantoms.parent, 64)
    assert given.normal.labels is None and given.unlabeled.labels is None
    assert set(given.test.labels) == {0, 1}


def test_scores_are_stored_by_seed_and_not_computed_twice(phantoms, setting, computed, monkeypatch):
    tables = read_tables(computed / FOLDER / "brain_tumor")
    assert len(tables["knn"]) == 1 and len(tables["nu"]) == 2  # without chance one training is all there is
    assert (tables["nu"][0].columns["pred_score"] != tables["nu"][1].columns["pred_score"]).any()
    assert set(controls_of(tables)) >= {"control-thumbnail", "control-thumbnail_nu", "control-mean_intensity"}
    monkeypatch.setattr(scoring, "make_detector", None)
    scoring.compute([setting], ROWS, phantoms.parent, computed, jobs=1)


def test_what_adds_nothing_to_the_usual_training_is_not_computed(phantoms, computed, monkeypatch):
    kind = next(entry.kind for entry in Repartition.read(phantoms).unlabeled if entry.label == 1)
    monkeypatch.setattr(scoring, "read_setting", lambda given, data, size: read_setting(given, data, 64))
    rows = (*ROWS, Row("shortened", "nu", "quick", PIXELS))
    scoring.compute([Setting("without", phantoms.name, without=kind)], rows, phantoms.parent, computed, jobs=1)
    assert read_tables(computed / FOLDER / "without").keys() & {"knn", "nu", "shortened"} == {"nu"}
    column = Column("", "without", usual="brain_tumor")
    found, usual = read_columns((column,), computed)[""], read_tables(computed / FOLDER / "brain_tumor")
    np.testing.assert_array_equal(found["knn"][0].columns["pred_score"], usual["knn"][0].columns["pred_score"])
    assert (found["nu"][0].columns["pred_score"] != usual["nu"][0].columns["pred_score"]).any()


def test_the_page_names_every_row_and_the_best_control(computed):
    text = page(computed)
    columns = read_columns((Column("brain_tumor", "brain_tumor"),), computed)
    control = best(columns["brain_tumor"], controls_of(columns["brain_tumor"]))
    assert f"brain_tumor (*{control.removeprefix('control-')}*)" in text
    for row in ("| knn |", "| nu |", "| *thumbnail_nu* |", "**brain_tumor**: normal against unlabeled"):
        assert row in text


def test_the_command_writes_the_page(phantoms, computed, monkeypatch, tmp_path):
    for module, name in ((scoring, "_compute"), (curves, "_of_set")):
        monkeypatch.setattr(module, name, lambda *given: [])
    (tmp_path / FOLDER).symlink_to(computed / FOLDER)
    monkeypatch.setattr(command, "claimed", lambda out, *names: nullcontext())
    assert reproduce_ocssl(phantoms.parent, tmp_path) == (tmp_path / "ocssl.md").read_text(encoding="utf-8")


def test_columns_take_their_part(tmp_path):
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / "deduplicated.txt").write_text("a\nc\nd\n", encoding="utf-8")
    whole = table(range(5), [0, 0, 1, 1, 1], ["a", "b", "c", "d", f"{OTHER}e"], ("", "", "x", "y", "z"))
    cases = {
        Column("", "some"): ("a", "b", "c", "d"),
        Column("", "some", clean="some"): ("a", "c", "d"),
        Column("", "some", clean="some", kinds=("y",)): ("a", "d"),
        Column("", "some", clean="some", other=True): ("a", f"{OTHER}e"),
    }
    for column, expected in cases.items():
        assert part_of(column, tmp_path)(whole).image_path == expected


def test_differences_are_delongs_and_hold_the_chance_in_training():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 60)
    good, bad = (table(rng.normal(size=120) + shift * labels, labels) for shift in (1.3, 1))
    found = difference([good], [bad], rows=1)
    p = delong_test(labels, good.columns["pred_score"], bad.columns["pred_score"]).p
    assert found.points > 0 and found.p == pytest.approx(p, rel=0.1)
    assert difference([good], [bad], rows=20).p > found.p
    assert str(difference([good], [good], rows=2)) == "+0.0"
    far = [table(rng.normal(size=120) + shift * labels, labels) for shift in (4, 0)]
    assert difference(far, [bad], rows=1).p > difference(far[:1], [bad], rows=1).p


def test_curves_are_drawn_and_told(tmp_path):
    points = [
        curves.Point("some", varied, value, seed, {curves.METHOD: 0.9, curves.CONTROL: 0.6 + 0.1 * seed})
        for varied, values in (("rate", (0.1, 0.6)), ("size", (100, 400)))
        for value in values
        for seed in (0, 1)
    ]
    (tmp_path / FOLDER).mkdir()
    curves.write_points(points, tmp_path)
    assert curves.read_points(tmp_path) == points
    text = "\n".join(curves.section(tmp_path))
    assert "| some, nu | 90.0 ± 0.0 | 90.0 ± 0.0 |" in text and "| some, thumbnail_nu | 65.0 ± 7.1" in text
    assert curves.pictures(tmp_path)[curves.PICTURE].startswith(b"\x89PNG")
