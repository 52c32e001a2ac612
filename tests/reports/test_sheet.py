"""The columns of the heat-map sheet are the telling ones, and its rows share a colour scale."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medad.evaluation.scores import ScoreTable
from medad.reports.figures import png_uri
from medad.reports.sheet import INCH, Sheet, captions, choose_groups, draw_sheet


def scored(scores, labels=None, predicted=None):
    scores = np.array(scores, dtype=float)
    labels = None if labels is None else np.array(labels)
    return ScoreTable(tuple(map(str, range(len(scores)))), labels, {"pred_score": scores}, None, predicted)


def test_worst_mistakes_and_typical_images_are_chosen():
    typical, misses, alarms, normal = choose_groups(scored(np.arange(40), np.repeat([0, 1], 20)), 12).values()
    assert set(typical) == {29, 30, 28}
    assert list(misses) == [20, 21, 22]
    assert list(alarms) == [19, 18, 17]
    assert set(normal) == {9, 10, 8}


def test_typical_abnormal_images_are_of_every_kind():
    kinds = ("",) * 10 + ("dark",) * 5 + ("bright",) * 15
    table = ScoreTable(tuple(map(str, range(30))), np.repeat([0, 1], [10, 20]), {"pred_score": np.arange(30.0)}, kinds)
    typical = next(iter(choose_groups(table, 12).values()))
    assert list(typical) == [22, 12, 21]  # medians of bright and dark, then the next bright one
    assert captions(table, typical[:1]) == ["true positive\nbright, score 22"]


def test_without_labels_highest_middle_and_lowest_are_chosen():
    highest, middle, lowest = choose_groups(scored(np.arange(41)), 6).values()
    assert list(highest) == [40, 39]
    assert set(middle) == {20, 19}
    assert list(lowest) == [0, 1]


def test_of_one_class_there_are_no_empty_groups():
    assert [len(group) for group in choose_groups(scored(np.arange(9), np.zeros(9, int)), 4).values()] == [2, 2]


@given(st.data())
def test_columns_are_distinct_and_hold_the_worst(data):
    n = data.draw(st.integers(1, 30))
    labels = data.draw(st.none() | st.lists(st.integers(0, 1), min_size=n, max_size=n))
    scores = data.draw(st.permutations(range(n)))
    table, wanted = scored(scores, labels), data.draw(st.integers(2, 15))
    groups = choose_groups(table, wanted)
    index = np.concatenate(list(groups.values()))
    assert all(map(len, groups.values()))
    assert len(set(index)) == len(index) == min(n, wanted)
    if labels is not None:
        normal = [i for i in range(n) if labels[i] == 0]
        abnormal = [i for i in range(n) if labels[i] == 1]
        assert not normal or max(normal, key=scores.__getitem__) in index
        assert not abnormal or min(abnormal, key=scores.__getitem__) in index


def test_captions_follow_the_detectors_threshold():
    table = scored([0.1, 0.834, 0.2, 0.9], [0, 0, 1, 1], np.array([0, 1, 0, 1]))
    assert captions(table, np.arange(4)) == [
        "true negative\nscore 0.1",
        "false positive\nscore 0.834",
        "false negative\nscore 0.2",
        "true positive\nscore 0.9",
    ]


def test_captions_without_a_threshold_cut_at_the_number_of_abnormal_images():
    words = [c.split("\n")[0] for c in captions(scored([1, 3, 2, 4], [0, 0, 1, 1]), np.arange(4))]
    assert words == ["true negative", "false positive", "false negative", "true positive"]
    assert captions(scored([1, 2], [0, 0]), np.arange(2))[1].startswith("true negative")
    assert captions(scored([1, 2], [1, 1]), np.arange(2))[0].startswith("true positive")


def test_without_a_threshold_scores_that_tie_at_the_cut_are_undecided():
    words = [c.split("\n")[0] for c in captions(scored([2, 1, 1, 3], [0, 0, 1, 1]), np.arange(4))]
    assert words == ["false positive", "true negative", "false negative", "true positive"]
    words = [c.split("\n")[0] for c in captions(scored([2, 1, 2, 3], [0, 0, 1, 1]), np.arange(4))]
    assert words == ["undecided", "true negative", "undecided", "true positive"]


def test_equal_scores_are_no_errors_without_a_threshold():
    words = [c.split("\n")[0] for c in captions(scored([1] * 5, [0, 0, 0, 1, 1]), np.arange(5))]
    assert words == ["undecided"] * 5
    decided = captions(scored([1] * 3, [0, 0, 1], np.ones(3)), np.arange(3))
    assert [c.split("\n")[0] for c in decided] == ["false positive"] * 2 + ["true positive"]


def test_captions_without_labels_are_scores():
    assert captions(scored([0.12345]), np.array([0])) == ["score 0.123"]


def test_each_row_of_maps_has_one_colour_scale(sheet):
    figure = draw_sheet(sheet)
    drawn = np.array([ax for ax in figure.axes if ax.images]).reshape(2, 3, 6)  # bands, rows, columns
    for row, name in ((1, "a_intra"), (2, "r_dual")):
        (scale,) = {ax.images[0].get_clim() for ax in drawn[:, row].flat}
        assert scale == pytest.approx((sheet.maps[name].min(), np.percentile(sheet.maps[name], 99.5)))
        for ax, values in zip(drawn[:, row].flat, sheet.maps[name], strict=True):
            np.testing.assert_array_equal(ax.images[0].get_array(), values)
    images = list(drawn[:, 0].flat)
    assert [ax.get_title() for ax in images] == sheet.titles
    outlined = [any(type(c).__name__ == "QuadContourSet" for c in ax.collections) for ax in images]
    assert outlined == list(sheet.masks.any(axis=(1, 2)))


@pytest.mark.parametrize("count", [1, 5, 8, 12])
def test_every_image_is_at_least_160_pixels_wide(count):
    maps = {f"a_{i}": np.zeros((count, 8, 8)) for i in range(6)}
    figure = draw_sheet(Sheet(np.zeros((count, 8, 8)), maps, ["x"] * count, ["x"] * count))
    figure.draw_without_rendering()
    shown = [ax for ax in figure.axes if ax.images]
    assert len(shown) == 7 * count
    assert min(ax.get_window_extent().width for ax in shown) * INCH / figure.dpi >= 160
    assert figure.get_figwidth() * INCH <= 1100  # the page's


def test_colour_images_and_constant_maps_can_be_drawn():
    colour = Sheet(np.zeros((1, 8, 8, 3)), {"$a$": np.zeros((1, 8, 8))}, ["$x"], ["x"])
    assert png_uri(draw_sheet(colour)).startswith("data:image/png;base64,")
