"""Rank tests against enumeration, scipy, published tables, and by simulation."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from medad.evaluation.statistics import friedman_nemenyi, holm, wilcoxon

# Critical values q of Nemenyi's test for 2 ... 20 methods at 0.05, for 2 ... 10 at 0.10 (Demšar 2006, table 5)
Q05 = [1.960, 2.344, 2.569, 2.728, 2.850, 2.948, 3.031, 3.102, 3.164, 3.219, 3.268, 3.313, 3.354, 3.391, 3.426, 3.458,
       3.489, 3.517, 3.544]  # fmt: skip
Q10 = [1.645, 2.052, 2.291, 2.460, 2.589, 2.693, 2.780, 2.855, 2.920]


def enumerated(differences):
    """The exact p of Wilcoxon's test: all signs are as likely."""
    d = np.array([x for x in differences if x])
    ranks = stats.rankdata(np.abs(d))
    sums = np.array([ranks[np.array(signs, dtype=bool)].sum() for signs in product((0, 1), repeat=len(d))])
    centre = ranks.sum() / 2
    return np.mean(np.abs(sums - centre) >= abs(ranks[d > 0].sum() - centre) - 1e-9)


@given(st.lists(st.integers(-8, 8), min_size=1, max_size=9).filter(any))
def test_wilcoxon_is_exact_with_ties_and_zeros(differences):
    found = wilcoxon(differences, [0] * len(differences))
    assert found.exact
    assert found.p == pytest.approx(enumerated(differences))
    assert found.pairs == np.count_nonzero(differences)


def test_wilcoxon_of_many_pairs_is_scipy_s():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 20))
    assert wilcoxon(first, second).p == pytest.approx(stats.wilcoxon(first, second, method="exact").pvalue)
    first, second = rng.normal(size=(2, 60))
    found = wilcoxon(first, second)
    assert not found.exact
    assert found.p == pytest.approx(stats.wilcoxon(first, second, method="approx").pvalue)


def test_five_data_sets_are_never_significant_and_it_is_said():
    found = wilcoxon([5, 6, 7, 8, 9.5], [1, 2, 2.5, 3, 4])
    assert found.p == found.smallest_p == 0.0625
    assert "5 pairs: the smallest possible p is 0.0625" in found.note
    assert wilcoxon(range(1, 8), [0] * 7).note == ""
    assert wilcoxon([1, 2], [1, 2]).p == 1
    with pytest.raises(ValueError, match="finite"):
        wilcoxon([1, np.nan], [0, 0])


def test_the_share_of_wilcoxon_s_false_alarms():
    rng = np.random.default_rng(1)
    trials = 2000
    hits = sum(wilcoxon(*rng.normal(size=(2, 10))).p < 0.05 for _ in range(trials))
    assert hits / trials == pytest.approx(0.0488, abs=3 * np.sqrt(0.05 * 0.95 / trials))  # 50 of 1,024 signs


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_by_the_closure_principle(p_values):
    """Adjusted p: the largest Bonferroni p over all sets of hypotheses that contain this one."""
    p = np.array(p_values)
    subsets = [np.array(s, dtype=bool) for s in product((0, 1), repeat=len(p)) if any(s)]
    expected = [min(1, max(s.sum() * p[s].min() for s in subsets if s[i])) for i in range(len(p))]
    assert holm(p_values) == pytest.approx(expected)


def test_holm_leaves_out_tests_that_could_not_be_made():
    assert holm([0.01, np.nan, 0.04]) == pytest.approx([0.02, np.nan, 0.04], nan_ok=True)


def test_holm_refuses_what_is_no_probability():
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm([0.1, 1.2])


@pytest.mark.parametrize(("alpha", "table"), [(0.05, Q05), (0.10, Q10)])
def test_critical_differences_are_the_published_ones(alpha, table):
    for methods, q in enumerate(table, start=2):
        values = np.random.default_rng(methods).normal(size=(6, methods))
        found = friedman_nemenyi(values, alpha).critical_difference
        assert found == pytest.approx(q * np.sqrt(methods * (methods + 1) / 36), rel=1e-3)


def test_friedman_equals_scipy():
    values = np.random.default_rng(3).normal(size=(8, 5)) + np.arange(5) / 2
    found = friedman_nemenyi(values)
    theirs = stats.friedmanchisquare(*values.T)
    assert (found.chi2, found.chi2_p) == pytest.approx((theirs.statistic, theirs.pvalue))
    assert found.f == pytest.approx(7 * found.chi2 / (8 * 4 - found.chi2))
    assert found.mean_ranks.sum() == pytest.approx(15)
    assert found.mean_ranks.argmin() == 4  # higher is better
    assert np.allclose(found.p, found.p.T)
    assert np.allclose(np.diag(found.p), 1)
    different = np.abs(found.mean_ranks[:, None] - found.mean_ranks) >= found.critical_difference
    assert ((found.p <= 0.05) == different).all()


def test_perfect_agreement_and_ties():
    found = friedman_nemenyi([[1, 2, 3]] * 4)
    assert found.f == np.inf
    assert found.f_p == pytest.approx(6.0**-3)  # three sets that rank as the first does
    assert friedman_nemenyi([[1, 1, 1]] * 4).chi2 == pytest.approx(0)
    with pytest.raises(ValueError, match="at least two"):
        friedman_nemenyi([[1, 2]])


def test_groups_are_maximal_and_hold_only_methods_that_do_not_differ():
    found = friedman_nemenyi(np.arange(6) + np.zeros((6, 1)))  # ranks 6 ... 1, CD about 3.08
    assert found.groups == [[5, 4, 3, 2], [4, 3, 2, 1], [3, 2, 1, 0]]
    assert friedman_nemenyi(np.arange(2) + np.zeros((9, 1))).groups == []


def test_the_share_of_friedman_s_false_alarms():
    rng = np.random.default_rng(4)
    trials = 1000
    hits = sum(friedman_nemenyi(rng.normal(size=(15, 4))).f_p < 0.05 for _ in range(trials))
    assert hits / trials == pytest.approx(0.05, abs=0.025)
