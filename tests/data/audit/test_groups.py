"""How lists depend on groups."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency
from scipy.stats.contingency import association

from medad.data.audit.groups import aspect, cramers_v, dependence


def test_dependence_against_scipy():
    random = np.random.default_rng(0)
    values = random.choice(["a", "b", "c"], 900, p=[0.5, 0.3, 0.2]).astype(object)
    first = np.where(values == "a", random.random(900) < 0.8, random.random(900) < 0.3)
    told = dependence(values, first, ~first)
    table = np.array([[(values[f] == name).sum() for f in (first, ~first)] for name in "abc"])
    assert told.counts == {name: tuple(row) for name, row in zip("abc", table.tolist(), strict=True)}
    assert told.p == pytest.approx(chi2_contingency(table, correction=False)[1])
    assert told.v == pytest.approx(association(table, method="cramer"), abs=0.01)  # which is not corrected for bias


def test_v_is_one_where_a_group_tells_and_zero_on_average_where_it_does_not():
    alike = np.array(["a"] * 50 + ["b"] * 50, object)
    assert dependence(alike, alike == "a", alike == "b").v == pytest.approx(1)
    assert cramers_v(2.0, (3, 2), 100) == 0.0  # chi2 equals its degrees of freedom


def test_nothing_to_compare_is_none_and_rare_groups_are_one():
    ones = np.array(["a"] * 4, object)
    half = np.array([True, True, False, False])
    assert dependence(ones, half, ~half) is None
    assert dependence(ones, half, half & False) is None
    many = [f"{i:02}" for i in range(30) for _ in range(2)]
    even = np.arange(60) % 2 == 0
    told = dependence([*many, "", ""], np.append(even, [True, False]), np.append(~even, [False, True]))
    assert "other (23)" in told.counts and sum(sum(pair) for pair in told.counts.values()) == 62


def test_shapes_have_names():
    assert [aspect(ratio) for ratio in (1.02, 0.83, 1.33)] == ["square", "tall 0.8", "wide 1.3"]
