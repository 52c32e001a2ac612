"""The threshold keeps what it promises."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medad.evaluation.calibration import (
    conformal_p_values,
    percentiles,
    promised_specificity,
    threshold_at_specificity,
)

SCORES = st.lists(st.integers(0, 9), min_size=1, max_size=40)


@given(st.lists(st.integers(0, 30), min_size=19, max_size=200), st.sampled_from([0.5, 0.8, 0.9, 0.95]))
def test_threshold_is_split_conformal(scores, specificity):
    t = threshold_at_specificity(np.array(scores), specificity)
    normal = np.array(scores)
    assert (normal < t).mean() >= specificity
    # The conformal p-value of a score is at most 1 - specificity exactly where it reaches the threshold.
    for s in np.arange(-1, 32):
        p = (1 + (normal >= s).sum()) / (len(normal) + 1)
        assert (s >= t) == (p <= 1 - specificity + 1e-9)


def test_new_normal_images_keep_the_promise_on_average():
    rng = np.random.default_rng(0)
    kept = [
        (rng.normal(size=100) < threshold_at_specificity(rng.normal(size=m))).mean()
        for m in (19, 50, 100)
        for _ in range(1000)
    ]
    for mean in np.reshape(kept, (3, 1000)).mean(axis=1):
        assert 0.945 < mean < 0.975


def test_too_few_scores_warn_of_what_holds():
    with pytest.warns(RuntimeWarning, match="4 held-out .* 0.800, not 0.95"):
        t = threshold_at_specificity([1.0, 4.0, 2.0, 3.0])
    assert 4 < t < 4 + 1e-9


@pytest.mark.filterwarnings("error")
def test_nineteen_scores_suffice_for_95_percent():
    assert threshold_at_specificity(np.arange(19)) == np.nextafter(18.0, 19)


@pytest.mark.parametrize("scores", [[], [1.0, np.nan], [np.inf]])
def test_unusable_scores_are_refused(scores):
    with pytest.raises(ValueError, match="finite scores"):
        threshold_at_specificity(scores)


@pytest.mark.parametrize("specificity", [0, 1, 95])
def test_specificity_must_be_a_share(specificity):
    with pytest.raises(ValueError, match="specificity"):
        threshold_at_specificity([1.0], specificity)


@given(SCORES, SCORES)
def test_p_values_and_percentiles_count_held_out_scores(scores, normal):
    """Brute force, one score at a time; whole numbers make ties."""
    m = len(normal)
    for s, p, percentile in zip(scores, conformal_p_values(scores, normal), percentiles(scores, normal), strict=True):
        assert p == (1 + sum(n >= s for n in normal)) / (m + 1)
        assert percentile == pytest.approx(100 * (sum(n < s for n in normal) + sum(n == s for n in normal) / 2) / m)


def test_p_values_reach_the_threshold_where_scores_do():
    rng = np.random.default_rng(1)
    normal, scores = rng.normal(size=60), rng.normal(size=500)
    reached = scores >= threshold_at_specificity(normal)
    np.testing.assert_array_equal(conformal_p_values(scores, normal) <= 0.05, reached)
    assert reached.any() and not reached.all()


def test_p_values_of_normal_images_are_not_too_small():
    """P(p <= a) <= a over held-out sets and new images alike, and near a where (m + 1) a is whole."""
    rng = np.random.default_rng(0)
    p = np.array([conformal_p_values(rng.normal(size=1), rng.normal(size=19))[0] for _ in range(20_000)])
    for a in (0.05, 0.1, 0.5):
        assert a - 0.012 < (p <= a).mean() < a + 0.012
    assert p.min() == 1 / 20


@pytest.mark.parametrize("function", [conformal_p_values, percentiles])
@pytest.mark.parametrize("normal", [[], [np.nan]])
def test_there_must_be_held_out_scores(function, normal):
    with pytest.raises(ValueError, match="finite scores"):
        function([1.0], normal)


def test_few_images_promise_less():
    assert [promised_specificity(m) for m in (4, 19, 1000)] == [0.8, 0.95, 0.95]
