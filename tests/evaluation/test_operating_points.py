"""Sensitivity at a specificity against brute force, and intervals of both against populations and first principles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from medad.evaluation.metrics import fpr_at_tpr, sensitivity_at_specificity
from medad.evaluation.operating_points import fpr_interval, sensitivity_interval
from tests.evaluation.test_metrics import labelled_scores

LABELS = np.repeat([0, 1], 100)


@given(labelled_scores(), st.sampled_from([0.05, 0.5, 0.95, 1.0]))
def test_sensitivity_at_a_specificity_by_brute_force(data, specificity):
    labels, scores = data
    called = [scores >= t for t in [*np.unique(scores), np.inf]]
    best = max(c[labels == 1].mean() for c in called if 1 - c[labels == 0].mean() >= specificity - 1e-12)
    assert sensitivity_at_specificity(labels, scores, specificity) == pytest.approx(best)


def test_what_is_undefined_is_said():
    with pytest.warns(RuntimeWarning, match="the metric is undefined"):
        assert np.isnan(sensitivity_at_specificity([1, 1], [0.1, 0.2]))
    for wrong in (0, 1.1, float("nan")):
        with pytest.raises(ValueError, match="specificity"):
            sensitivity_at_specificity([0, 1], [0.1, 0.2], wrong)


def drawn(rng, distance, size=100, spread=1.0):
    return np.concatenate([rng.normal(size=size), distance + spread * rng.normal(size=size)])


@pytest.mark.parametrize(("size", "distance", "spread"), [(20, 1.2, 1), (100, 1.2, 1), (100, 2.7, 3), (400, 2, 1 / 3)])
def test_intervals_hold_the_truth(size, distance, spread):
    labels, rng, held = np.repeat([0, 1], size), np.random.default_rng(0), []
    fpr = stats.norm.sf(distance + spread * stats.norm.ppf(0.05))
    sensitivity = stats.norm.sf((stats.norm.ppf(0.95) - distance) / spread)
    for _ in range(200):
        scores = drawn(rng, distance, size, spread)
        ends = fpr_interval(labels, scores), sensitivity_interval(labels, scores)
        held.append([low <= t <= high for (low, high), t in zip(ends, (fpr, sensitivity), strict=True)])
    assert np.mean(held, axis=0).min() >= 0.95 - 2 * np.sqrt(0.05 * 0.95 / 200)


def test_the_interval_adds_the_threshold_and_the_count_in_quadrature():
    scores = drawn(np.random.default_rng(1), 1.5)
    normal, abnormal = np.sort(scores[:100]), np.sort(scores[100:])[::-1]
    value, low, high = fpr_at_tpr(LABELS, scores), *fpr_interval(LABELS, scores)
    least, most = (int(k) for k in stats.binom.ppf((0.025, 0.975), 100, 0.95))
    assert most < 100
    # The threshold may lie as high as the abnormal score that makes `least`, or just above the one after `most`.
    moved = (normal >= abnormal[least - 1]).mean(), (normal > abnormal[most]).mean()
    counted = stats.binomtest(round(100 * value), 100).proportion_ci(method="exact")
    assert low == pytest.approx(value - np.hypot(value - moved[0], value - counted.low))
    assert high == pytest.approx(value + np.hypot(moved[1] - value, counted.high - value))


def test_few_images_do_not_tell_where_the_threshold_lies():
    labels, apart = np.repeat([0, 1], [500, 60]), np.concatenate([np.arange(500.0), 1000 + np.arange(60)])
    assert fpr_interval(labels, apart)[1] == 1  # 0.95^60 > 2.5 %: the lowest five of a hundred may not be among them
    low, high = sensitivity_interval(labels, apart)
    assert low > 0.9 and high == 1
    labels = np.repeat([0, 1], [500, 100])
    assert fpr_interval(labels, np.append(apart, 1100 + np.arange(40)))[1] < 0.1


def test_patients_count_once_and_trainings_widen():
    scores = drawn(np.random.default_rng(2), 2.5)
    patients = [str(i // 4) for i in range(200)]
    for interval in (fpr_interval, sensitivity_interval):
        alone, whole, trained = (
            interval(LABELS, scores),
            interval(LABELS, scores, patients),
            interval(LABELS, scores, training=0.2),
        )
        assert np.ptp(whole) > np.ptp(alone) and np.ptp(trained) > np.ptp(alone)
        assert interval(LABELS, np.stack([scores, scores])) == pytest.approx(alone)
        both = np.stack([scores, drawn(np.random.default_rng(3), 2.5)])
        figure = fpr_at_tpr if interval is fpr_interval else sensitivity_at_specificity
        assert interval(LABELS, both)[0] <= np.mean([figure(LABELS, row) for row in both]) <= interval(LABELS, both)[1]
