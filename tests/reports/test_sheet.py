"""The columns of the heat-map sheet are the telling ones, and its rows share a colour scale."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medad.evaluation.scores import ScoreTable
from medad.reports.figures import png_uri
from medad.reports.sheet import Sheet, captions, choose_columns, draw_sheet


def scored(scores, labels=None, predicted=None):
    scores = np.array(scores, dtype=float)
    labels = None if labels is None else np.array(labels)
    return ScoreTable(tuple(map(str, range(len(scores)))), labels, {"pred_score": scores}, None, predicted)


def test_worst_mistakes_and_typical_images_are_chosen():
    table = scored(np.arange(40), np.repeat([0, 1], 20))
    index = choose_columns(table, 12)
    assert set(index[:3]) == {9, 10, 8}
    assert list(index[3:6]) == [19, 18, 17]
    assert list(index[6:9]) == [20, 21, 22]
    assert set(index[9:]) == {29, 30, 28}


def test_without_labels_highest_middle_and_lowest_are_chosen():
    index = choose_columns(scored(np.arange(41)), 6)
    assert list(index[:2]) == [40, 39]
    assert set(index[2:4]) == {20, 19}
    assert list(index[4:]) == [0, 1]


@given(st.data())
def test_columns_are_distinct_and_hold_the_worst(data):
    n = data.draw(st.integers(1, 30))
    labels = data.draw(st.none() | st.lists(st.integers(0, 1), min_size=n, max_size=n))
    scores = data.draw(st.permutations(range(n)))
    table, wanted = scored(scores, labels), data.draw(st.integers(2, 15))
    index = choose_columns(table, wanted)
    assert len(set(index)) == len(index) == min(n, wanted)
    if labels is not None:
        normal = [i for i in range(n) if labels[i] == 0]
        abnormal = [i for i in range(n) if labels[i] == 1]
        assert not normal or max(normal, key=scores.__getitem__) in index
        assert not abnormal or min(abnormal, key=scores.__getitem__) in index


def test_captions_follow_the_detectors_threshold():
    table = scored([0.1, 0.834, 0.2, 0.9], [0, 0, 1, 1], np.array([0, 1, 0, 1]))
    assert captions(table, np.arange(4)) == [
        "true negative\n0.1",
        "false positive\n0.834",
        "false negative\n0.2",
        "true positive\n0.9",
    ]


def test_captions_without_a_threshold_cut_at_the_number_of_abnormal_images():
    words = [c.split("\n")[0] for c in captions(scored([1, 3, 2, 4], [0, 0, 1, 1]), np.arange(4))]
    assert words == ["true negative", "false positive", "false negative", "true positive"]
    assert captions(scored([1, 2], [0, 0]), np.arange(2))[1].startswith("true negative")
    assert captions(scored([1, 2], [1, 1]), np.arange(2))[0].startswith("true positive")


def test_captions_without_labels_are_scores():
    assert captions(scored([0.12345]), np.array([0])) == ["score\n0.123"]


def test_each_row_of_maps_has_one_colour_scale(sheet):
    figure = draw_sheet(sheet)
    drawn = [ax for ax in figure.axes if ax.images]
    assert len(drawn) == 3 * 12
    for row, name in ((1, "a_intra"), (2, "r_dual")):
        (scale,) = {ax.images[0].get_clim() for ax in drawn[12 * row : 12 * (row + 1)]}
        assert scale == pytest.approx((sheet.maps[name].min(), np.percentile(sheet.maps[name], 99.5)))
    assert [ax.get_title() for ax in drawn[:12]] == sheet.titles
    outlined = [any(type(c).__name__ == "QuadContourSet" for c in ax.collections) for ax in drawn[:12]]
    assert outlined == list(sheet.masks.any(axis=(1, 2)))


def test_colour_images_and_constant_maps_can_be_drawn():
    colour = Sheet(np.zeros((1, 8, 8, 3)), {"$a$": np.zeros((1, 8, 8))}, ["$x"])
    assert png_uri(draw_sheet(colour)).startswith("data:image/png;base64,")
