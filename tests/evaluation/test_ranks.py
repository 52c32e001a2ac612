"""Rank tests against enumeration, scipy, published tables, and by simulation."""

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
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


def tables(fewest=2):
    """Values of several sets and methods, with many ties: ten different ones at most."""
    shapes = st.tuples(st.integers(2, 8), st.integers(fewest, 6))
    return shapes.flatmap(lambda shape: arrays(np.int64, shape, elements=st.integers(0, 9)))


@given(tables(fewest=3))
def test_friedman_with_ties_equals_scipy(values):
    found = friedman_nemenyi(values)
    if (values == values[:, :1]).all():  # scipy divides by zero
        assert (found.chi2, found.chi2_p, found.f, found.f_p) == (0, 1, 0, 1)
        return
    theirs = stats.friedmanchisquare(*values.T)
    assert (found.chi2, found.chi2_p) == pytest.approx((theirs.statistic, theirs.pvalue))
    sets, methods = values.shape
    if found.f < np.inf:
        assert found.f == pytest.approx((sets - 1) * found.chi2 / (sets * (methods - 1) - found.chi2))
    else:
        assert found.chi2 == pytest.approx(sets * (methods - 1))


@given(tables())
def test_friedman_of_two_methods_counts_who_is_better(values):
    """Two methods: (wins - losses)^2 / (wins + losses)."""
    found = friedman_nemenyi(values[:, :2])
    signs = np.sign(values[:, 0] - values[:, 1])
    assert found.chi2 == pytest.approx(signs.sum() ** 2 / max(np.abs(signs).sum(), 1))


def test_friedman_is_corrected_for_ties():
    found = friedman_nemenyi([[1, 1, 0], [1, 1, 0]])
    assert found.chi2 == pytest.approx(4)
    assert found.f == np.inf
    assert found.f_p == pytest.approx(1 / 3)  # the second set has three orders to choose from


@given(st.lists(st.integers(0, 3), min_size=2, max_size=4), st.integers(2, 3))
def test_infinite_f_has_the_exact_probability(row, sets):
    """Enumerated: all orders of every set's own ranks are as likely; that of the first set may be kept."""
    found = friedman_nemenyi([row] * sets)
    chances = [all(other == tuple(row) for other in others) for others in product(permutations(row), repeat=sets - 1)]
    assert found.f == (np.inf if len(set(row)) > 1 else 0)
    assert found.f_p == pytest.approx(np.mean(chances))


def test_perfect_agreement_and_what_is_refused():
    found = friedman_nemenyi([[1, 2, 3]] * 4)
    assert found.f == np.inf
    assert found.f_p == pytest.approx(6.0**-3)  # three sets that rank as the first does
    with pytest.raises(ValueError, match="at least two"):
        friedman_nemenyi([[1, 2]])


@given(tables(), st.integers(0, 10**6), st.sampled_from([1e-20, 1.0, 1e20]))
def test_rounding_errors_change_no_rank(values, seed, scale):
    clean = np.round(values / 10, 1) + 0.1
    dusty = scale * (clean + 1e-15 * np.random.default_rng(seed).uniform(-1, 1, clean.shape))
    expected, found = friedman_nemenyi(clean), friedman_nemenyi(dusty)
    np.testing.assert_array_equal(expected.mean_ranks, found.mean_ranks)
    assert (expected.chi2, expected.f, expected.f_p) == (found.chi2, found.f, found.f_p)
    assert wilcoxon(*clean.T[:2]) == wilcoxon(*dusty.T[:2])


def test_rounding_errors_are_neither_differences_nor_ranks():
    first, second = [0.1 + 0.2, 0.8, 0.7 + 0.1, 0.5], [0.3, 0.7, 0.7, 0.4]
    assert wilcoxon(first, second) == wilcoxon([3, 8, 8, 5], [3, 7, 7, 4])
    assert friedman_nemenyi([[0.1 + 0.2, 0.3, 0.1]] * 2).mean_ranks == pytest.approx([1.5, 1.5, 3])
    assert wilcoxon([1, 1 + 1e-9], [1, 1]).pairs == 1  # that is no rounding error


def test_groups_are_maximal_and_hold_only_methods_that_do_not_differ():
    found = friedman_nemenyi(np.arange(6) + np.zeros((6, 1)))  # ranks 6 ... 1, CD about 3.08
    assert found.groups == [[5, 4, 3, 2], [4, 3, 2, 1], [3, 2, 1, 0]]
    assert friedman_nemenyi(np.arange(2) + np.zeros((9, 1))).groups == []


def test_the_share_of_friedman_s_false_alarms():
    rng = np.random.default_rng(4)
    trials = 1000
    hits = sum(friedman_nemenyi(rng.normal(size=(15, 4))).f_p < 0.05 for _ in range(trials))
    assert hits / trials == pytest.approx(0.05, abs=0.025)
