"""Figures show the numbers that they are given."""

import base64
import io
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from medad.evaluation.metrics import class_densities
from medad.evaluation.scores import ScoreTable
from medad.reports.figures import (
    bins_for,
    decision_curve,
    histograms,
    png_uri,
    ranking_curves,
    svg_uri,
    training_curves,
)


def titles(figure):
    return [ax.get_title(loc="left") for ax in figure.axes]


def test_svg_is_well_formed_and_repeats(table):
    uri, again = (svg_uri(histograms(table, {}, 8)) for _ in range(2))
    assert uri == again
    kind, data = uri.split(",")
    assert kind == "data:image/svg+xml;base64"
    assert ElementTree.fromstring(base64.b64decode(data)).tag.endswith("svg")


def test_png_has_the_asked_resolution():
    data = png_uri(training_curves({"a": np.ones(2)}), dpi=50).split(",")[1]
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (525, 125)


def test_histograms_have_a_panel_per_score_with_both_classes(table):
    figure = histograms(table, {"a_rec": 12.345, "r_dual": None}, 9)
    assert titles(figure) == ["a_rec   χ² = 12.35", "a_intra", "r_dual"]
    expected = class_densities(table.gt_label, table.columns["r_dual"], 9)
    drawn = [patch.get_data().values for patch in figure.axes[2].patches]
    np.testing.assert_allclose(drawn, expected)
    members = [class_densities(table.gt_label, table.columns[f"a_rec_{k}"], 9) for k in (1, 2)]
    np.testing.assert_allclose([p.get_data().values for p in figure.axes[0].patches], np.mean(members, axis=0))


def test_histograms_without_labels_show_all_images(table):
    figure = histograms(ScoreTable(table.image_path, None, table.columns), {}, 8)
    assert [len(ax.patches) for ax in figure.axes] == [1, 1, 1]
    assert figure.axes[0].get_legend().get_texts()[0].get_text() == "all images"


def test_the_decision_curve_stands_beside_reading_all_images():
    worth = np.linspace(0, 0.2, 5)
    figure = decision_curve(worth, np.array([0.1, 0.08, 0.06, 0.05, 0.04]), 0.1)
    best, everything, none = (line.get_ydata() for line in figure.axes[0].lines)
    np.testing.assert_allclose(best, [10, 8, 6, 5, 4])
    np.testing.assert_allclose(everything, [10, 5.5, 1, -3.5, -8])
    assert set(none) == {0}


@pytest.mark.parametrize(
    ("normal", "abnormal", "bins"), [(5, 5, 8), (600, 100, 10), (100, 600, 10), (400, 0, 20), (90000, 90000, 100)]
)
def test_bins_follow_the_smaller_class(normal, abnormal, bins):
    labels = np.repeat([0, 1], [normal, abnormal])
    names = tuple(map(str, range(len(labels))))
    assert bins_for(ScoreTable(names, labels, {"pred_score": np.zeros(len(labels))})) == bins


def test_bins_without_labels_follow_all_images():
    assert bins_for(ScoreTable(tuple(map(str, range(400))), None, {"pred_score": np.zeros(400)})) == 20


def test_ranking_curves_have_the_area_of_the_metric(table):
    roc, pr = ranking_curves(table).axes
    lines = {line.get_label(): line for line in roc.lines if not line.get_label().startswith("_")}
    assert list(lines) == ["a_rec", "a_intra", "r_dual"]
    area = np.trapezoid(lines["r_dual"].get_ydata(), lines["r_dual"].get_xdata())
    assert area == pytest.approx(roc_auc_score(table.gt_label, table.columns["r_dual"]))
    assert lines["r_dual"].get_color() == "black"
    assert len(roc.lines) == len(pr.lines) == 4 + 1  # two members, two scores, chance


def test_long_curves_are_thinned_without_losing_their_ends():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 5000)
    columns = {"pred_score": rng.normal(labels)}
    line = ranking_curves(ScoreTable(tuple(map(str, range(10000))), labels, columns)).axes[0].lines[0]
    assert len(line.get_xdata()) <= 600
    assert (line.get_xdata()[0], line.get_ydata()[-1]) == (0, 1)
    area = np.trapezoid(line.get_ydata(), line.get_xdata())
    assert area == pytest.approx(roc_auc_score(labels, columns["pred_score"]), abs=1e-3)


def test_members_of_a_phase_share_a_panel():
    losses = {"ndm_1": np.ones(3), "ndm_2": np.arange(3.0), "r_dual": np.ones(1)}
    figure = training_curves(losses)
    assert titles(figure) == ["ndm", "r_dual"]
    assert [len(ax.lines) for ax in figure.axes] == [2, 1]
    np.testing.assert_array_equal(figure.axes[0].lines[1].get_xydata(), [[1, 0], [2, 1], [3, 2]])


def test_dollar_signs_in_names_are_no_formulas():
    assert svg_uri(training_curves({r"$\frac$_1": np.ones(2), r"$\frac$_2": np.ones(2)}))
