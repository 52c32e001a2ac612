"""DeLong's variance and test against the definition, and by simulation."""

import numpy as np
import pytest
from hypothesis import given
from scipy.stats import norm

from medad.evaluation.metrics import auroc
from medad.evaluation.statistics import delong_interval, delong_test, delong_variance
from tests.evaluation.test_metrics import labelled_scores


def placements(labels, scores):
    """V10 and V01 from all pairs."""
    positive, negative = scores[labels == 1], scores[labels == 0]
    psi = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    return psi.mean(axis=1), psi.mean(axis=0)


def brute_variance(*parts):
    return sum(np.var(part, ddof=1) / len(part) for part in parts)


@given(labelled_scores())
def test_the_variance_is_that_of_all_pairs(data):
    labels, scores = data
    found = delong_variance(labels, scores)
    if min(labels.sum(), (1 - labels).sum()) < 2:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(brute_variance(*placements(labels, scores)), abs=1e-12)
    interval = delong_interval(labels, scores)
    assert interval.value == pytest.approx(auroc(labels, scores))
    assert 0 <= interval.low <= interval.value <= interval.high <= 1


def test_the_mean_of_members_has_the_variance_of_the_mean():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], (30, 40))
    members = rng.normal(size=(3, 70)) + labels
    parts = [np.mean(rows, axis=0) for rows in zip(*(placements(labels, m) for m in members), strict=True)]
    assert delong_variance(labels, members) == pytest.approx(brute_variance(*parts))
    assert delong_interval(labels, members).value == pytest.approx(np.mean([auroc(labels, m) for m in members]))


@pytest.mark.parametrize(
    ("labels", "scores"),
    [([0, 0, 0, 1, 1, 1], [0, 1, 2, 3, 4, 5]), ([0, 0, 1, 1], [1, 1, 1, 1]), ([0, 1, 1], [0, 1, -1])],
)
def test_without_a_variance_bounds_are_conservative_and_flagged(labels, scores):
    interval = delong_interval(labels, scores)
    assert interval.method == "beta"
    assert interval.high - interval.low > 0.5


def test_bounds_of_a_perfect_ranking_are_clopper_s_and_pearson_s():
    interval = delong_interval([0] * 10 + [1] * 20, range(30))
    assert interval[:3] == (1, pytest.approx(0.025 ** (1 / 10)), 1)


def test_a_score_does_not_differ_from_itself():
    rng = np.random.default_rng(1)
    labels, scores = np.repeat([0, 1], 50), rng.normal(size=100)
    assert delong_test(labels, scores, scores) == (0, 0, 0, 1)
    assert delong_test([0, 1] * 2, [0, 1] * 2, [1, 0] * 2).p == 0  # no variance, but another AUROC


def test_the_paired_test_by_definition():
    rng = np.random.default_rng(2)
    labels = np.repeat([0, 1], (60, 40))
    common = rng.normal(size=100)
    first, second = common + labels + rng.normal(size=100), common + rng.normal(size=100)
    (a, b), (c, d) = placements(labels, first), placements(labels, second)
    variance = np.array([1, -1]) @ (np.cov(a, c) / 40 + np.cov(b, d) / 60) @ np.array([1, -1])
    found = delong_test(labels, first, second)
    assert found.difference == pytest.approx(a.mean() - c.mean())
    assert found.p == pytest.approx(2 * norm.sf(abs(found.difference) / np.sqrt(variance)))
    assert found.high - found.low == pytest.approx(2 * norm.ppf(0.975) * np.sqrt(variance))


def test_items_are_matched_by_id():
    rng = np.random.default_rng(3)
    labels, first, second = np.repeat([0, 1], 20), rng.normal(size=40), rng.normal(size=40)
    names, order = [f"{i}.png" for i in range(40)], rng.permutation(40)
    shuffled = [names[i] for i in order]
    assert delong_test(labels, first, second[order], (names, shuffled)) == delong_test(labels, first, second)
    with pytest.raises(ValueError, match=r"not the same items: 0\.png"):
        delong_test(labels, first, second, (names, ["x.png", *names[1:]]))
    with pytest.raises(ValueError, match="repeated"):
        delong_test(labels, first, second, (names, [*names, "1.png"]))


def test_the_share_of_false_alarms_is_5_percent():
    rng = np.random.default_rng(4)
    labels = np.repeat([0, 1], 100)
    trials = 1500
    hits = 0
    for _ in range(trials):
        common = rng.normal(size=200) + labels
        hits += delong_test(labels, common + rng.normal(size=200), common + rng.normal(size=200)).p < 0.05
    assert hits / trials == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / trials))


def test_intervals_hold_the_true_auroc_in_95_percent():
    rng = np.random.default_rng(5)
    labels, truth = np.repeat([0, 1], 80), norm.cdf(1 / np.sqrt(2))
    trials = 1500
    held = 0
    for _ in range(trials):
        interval = delong_interval(labels, rng.normal(size=160) + labels)
        held += interval.low <= truth <= interval.high
    assert held / trials == pytest.approx(0.95, abs=3 * np.sqrt(0.05 * 0.95 / trials))
