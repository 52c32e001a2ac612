"""Sentences about cells name all of them and no others; tables have a place for what was left out."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from medad.reports.stress_tables import grid
from medad.reports.stress_words import blind_words, boxes, ranges

RADII = (0.02, 0.04, 0.08)


def cells(kind, levels):
    return [{"kind": kind, "level": level, "radius": radius} for level, radius in product(levels, RADII)]


@given(arrays(bool, st.tuples(st.integers(1, 5), st.integers(1, 4))))
def testboxes_cover_what_is_true_and_nothing_else(grid):
    covered = np.zeros_like(grid)
    for box in boxes(grid):
        assert grid[box].all() and not covered[box].all()
        covered[box] = True
    np.testing.assert_array_equal(covered, grid)


@pytest.mark.parametrize(
    ("kind", "chosen", "expected"),
    [
        ("intensity", {(0.25, 0.02), (0.5, 0.02), (0.25, 0.04), (0.5, 0.04)},
         "disks between 0.25 and 0.5 of the range, of radius up to 4 % of the side"),
        ("intensity", {(0.5, 0.04)}, "disks at 0.5 of the range, of radius 4 % of the side"),
        ("intensity", {(0.5, 0.04), (0.5, 0.08)}, "disks at 0.5 of the range, of radius 4 to 8 % of the side"),
        ("intensity", set(product((0.0, 0.25, 0.5), RADII)), "disks of every intensity, of every size"),
        ("contrast", set(product((-0.1, 0.1), RADII)),
         "disks of contrast -0.1 to +0.1 with a hard edge, of every size"),
        ("soft contrast", {(0.1, 0.02)},
         "disks of contrast +0.1 fading to the edge, of radius up to 2 % of the side"),
        ("texture", set(product(("shuffle", "blur"), RADII)),
         "disks whose texture is shuffled or blurred, of every size"),
    ],
)  # fmt: skip
def test_neighbours_are_named_together(kind, chosen, expected):
    levels = {
        "intensity": (0.0, 0.25, 0.5),
        "contrast": (-0.2, -0.1, 0.1, 0.2),
        "soft contrast": (-0.1, 0.1),
        "texture": ("shuffle", "source", "blur"),
    }[kind]
    everything = cells("intensity", (0.0, 1.0)) * (kind != "intensity") + cells(kind, levels)
    some = [cell for cell in everything if cell["kind"] == kind and (cell["level"], cell["radius"]) in chosen]
    assert list(ranges(everything, some)) == [expected]


def test_what_decides_comes_first_and_what_nobody_can_tell_is_counted():
    states = [(True, False), (False, True), (False, False)]
    judged = [
        cell | {"image": {"a": {"blind": blind, "found": found}, "b": {"blind": False, "found": True}}, "pixel": {}}
        for cell, (blind, found) in zip(cells("intensity", (0.5,)), states, strict=True)
    ]
    words = blind_words({"cells": judged, "scores": ["a", "b"], "maps": []})
    (line, listed), *_ = words["deciding"]
    assert line == "score a finds 1 of 3 anomalies, and 1 perhaps; 1 is found no better than chance:"
    assert listed == ["disks of every intensity, of radius up to 2 % of the side"]
    assert words["others"] == [("score b finds 3 of 3 anomalies; no blind cell", [])]


def test_a_table_has_a_dash_for_what_was_left_out():
    some = cells("texture", ("source", "sink"))[1:]
    shown = grid(some, "texture", lambda cell: "here")
    assert shown.count("here") == 5 and shown.count("–") == 1 and "magnified" in shown and "radius 8 %" in shown
