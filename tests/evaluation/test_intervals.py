"""Intervals against brute-force computations, and how often they hold the truth in small samples."""

import numpy as np
import pytest
from hypothesis import given
from scipy.stats import binomtest, norm
from sklearn.metrics import average_precision_score, roc_auc_score

from medad.evaluation.intervals import (
    FEW,
    GUARDED,
    ap_interval,
    auroc_interval,
    binormal_ap,
    class_sizes,
    clopper_pearson,
    few_words,
    hanley_mcneil,
    mean_auroc,
    proportion_interval,
    quantile,
    spread_interval,
    training_margin,
)
from medad.evaluation.statistics import delong_variance
from tests.evaluation.test_metrics import labelled_scores

Z = norm.ppf(0.975)


def separated(abnormal, normal):
    return np.repeat([0, 1], [normal, abnormal]), np.arange(abnormal + normal, dtype=float)


def by_grid(labels, scores, added=0.0):
    """The score interval read off a fine grid."""
    value, sizes = roc_auc_score(labels, scores), class_sizes(labels)
    larger = max((delong_variance(labels, scores) + added) / hanley_mcneil(value, *sizes), 1)
    grid = np.linspace(0, 1, 20_001)[1:-1]
    inside = [t for t in grid if (value - t) ** 2 <= Z**2 * larger * hanley_mcneil(t, *sizes)]
    return inside[0], inside[-1]


def test_the_interval_of_the_auroc_holds_what_the_data_do_not_contradict():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [12, 7])
    scores = rng.normal(size=19) + labels
    assert auroc_interval(labels, scores) == pytest.approx(by_grid(labels, scores), abs=1e-4)
    wide = auroc_interval(labels, scores, training=0.1)
    assert wide == pytest.approx(by_grid(labels, scores, (0.1 / Z) ** 2), abs=1e-4)


def test_hanleys_and_mcneils_variance_is_that_of_exponential_scores():
    rng = np.random.default_rng(1)
    labels, truth = np.repeat([0, 1], [8, 12]), 0.8
    rate = truth / (1 - truth)
    found = [mean_auroc(labels, rng.exponential(np.where(labels == 1, rate, 1.0))) for _ in range(4000)]
    other = [mean_auroc(labels, -rng.exponential(np.where(labels == 1, 1.0, rate))) for _ in range(4000)]
    assert hanley_mcneil(truth, 12, 8) == pytest.approx(max(np.var(found), np.var(other)), rel=0.07)
    assert hanley_mcneil(truth, 12, 8) == hanley_mcneil(truth, 8, 12)


@given(labelled_scores())
def test_intervals_lie_in_the_unit_interval_around_their_value(data):
    labels, scores = data
    value = mean_auroc(labels, scores)
    assert value == pytest.approx(roc_auc_score(labels, scores))
    low, high = auroc_interval(labels, scores)
    assert 0 <= low <= value + 1e-9
    assert value - 1e-9 <= high <= 1
    assert high - low > 0.01
    assert auroc_interval(labels, -scores) == pytest.approx((1 - high, 1 - low), abs=1e-6)


def test_separated_classes_are_not_certain():
    low, high = auroc_interval(*separated(10, 10))
    assert (round(low, 2), high) == (0.80, 1)
    assert auroc_interval(*separated(1, 50))[0] < 0.5
    low, high = ap_interval(1.0, 0.0, *separated(10, 10))
    assert (0.6 < low < 0.9, high) == (True, 1)
    assert ap_interval(1.0, 0.0, *separated(GUARDED, GUARDED))[0] == clopper_pearson(1.0, GUARDED)[0]


def test_a_patient_counts_once():
    labels, scores = separated(40, 40)
    patients = [f"{i // 4}" for i in range(80)]
    assert class_sizes(labels, patients) == (10, 10)
    assert auroc_interval(labels, scores, patients) == pytest.approx(auroc_interval(*separated(10, 10)))
    assert auroc_interval(labels, scores, [""] * 80) == auroc_interval(labels, scores)


def draw(rng, shape, abnormal, normal, truth):
    """Scores of two classes with a known AUROC."""
    labels = np.repeat([0, 1], [normal, abnormal])
    noise = rng.normal(size=len(labels))
    spread = {"alike": 1.0, "wide": 3.0, "narrow": 1 / 3}[shape]
    distance = norm.ppf(truth) * np.sqrt(1 + spread**2)
    return labels, np.where(labels == 1, distance + spread * noise, noise)


@pytest.mark.parametrize("shape", ["alike", "wide", "narrow"])
@pytest.mark.parametrize(("abnormal", "normal", "truth"), [(5, 5, 0.97), (10, 10, 0.9), (10, 100, 0.8), (60, 60, 0.8)])
def test_95_percent_are_about_95_percent_in_small_samples(shape, abnormal, normal, truth):
    rng = np.random.default_rng(2)
    ends = [auroc_interval(*draw(rng, shape, abnormal, normal, truth)) for _ in range(250)]
    held = [low <= truth <= high for low, high in ends]
    assert np.mean(held) > 0.95 - 3 * np.sqrt(0.05 * 0.95 / 250)


def test_several_trainings_widen_an_interval():
    values = np.array([0.7, 0.8, 0.9])
    margin = training_margin(values)
    assert margin == pytest.approx(4.302653 * 0.1 / np.sqrt(3), rel=1e-6)
    assert training_margin(values[:1]) == 0
    low, high = spread_interval(0.8, 0.02, 100, margin)
    width = np.hypot(quantile(99) * 0.02 * np.sqrt(100 / 99), margin) / (0.8 * 0.2)
    logit = np.log(0.8 / 0.2)
    assert (low, high) == pytest.approx((1 / (1 + np.exp(-logit + width)), 1 / (1 + np.exp(-logit - width))))


def test_clopper_and_pearson():
    for hits, trials in ((0, 5), (3, 7), (19, 20), (20, 20)):
        reference = binomtest(hits, trials).proportion_ci(method="exact")
        assert clopper_pearson(hits / trials, trials) == pytest.approx((reference.low, reference.high))
        assert proportion_interval(np.arange(trials) < hits) == pytest.approx((reference.low, reference.high))
    assert spread_interval(1.0, 0.0, 10) == clopper_pearson(1.0, 10)
    assert spread_interval(0.4, 0.0, 10) == clopper_pearson(0.4, 10)


def test_shares_of_patients_count_patients():
    hits = np.repeat([True, True, True, False, True, False, True, True], 5)  # a patient is all right or all wrong
    patients = [f"{i // 5}" for i in range(40)]
    low, high = proportion_interval(hits, patients)
    assert (low, high) == pytest.approx(clopper_pearson(0.75, 7))  # n - 1: the variance of few is enlarged
    assert proportion_interval(np.ones(40, dtype=bool), patients) == clopper_pearson(1.0, 8)
    alone = proportion_interval(hits)
    assert high - low > alone[1] - alone[0]


def test_average_precision_of_two_normal_distributions():
    rng = np.random.default_rng(3)
    labels = np.repeat([0, 1], [300_000, 100_000])
    scores = rng.normal(size=400_000) + 1.2 * labels
    assert binormal_ap(roc_auc_score(labels, scores), 0.25) == pytest.approx(
        average_precision_score(labels, scores), abs=3e-3
    )
    assert binormal_ap(0.5, 0.3) == pytest.approx(0.3)
    assert binormal_ap(1.0, 0.3) == pytest.approx(1, abs=1e-6)


def test_a_bootstrap_of_few_items_is_not_trusted_alone():
    labels, scores = draw(np.random.default_rng(4), "alike", 10, 10, 0.8)
    value = average_precision_score(labels, scores)
    low, high = ap_interval(value, 1e-6, labels, scores)
    assert low < value - 0.1
    assert high > value + 0.02
    many = draw(np.random.default_rng(4), "alike", GUARDED, GUARDED, 0.8)
    assert ap_interval(0.8, 0.02, *many) == spread_interval(0.8, 0.02, GUARDED)


def test_few_images_are_said():
    assert few_words(FEW, FEW) == ""
    assert "Only 29 normal and 500 abnormal" in few_words(29, 500)
