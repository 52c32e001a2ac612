"""The bootstrap: its draws, its strata, and its interval against independent computations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import bootstrap, norm
from sklearn.metrics import average_precision_score, roc_auc_score

from medad.evaluation import bootstrap as module
from medad.evaluation.curves import auroc_of_counts, average_precision_of_counts
from medad.evaluation.statistics import bootstrap_draws, paired_bootstrap

METRICS = [auroc_of_counts, average_precision_of_counts]


def percentiles(labels, rows, metrics, **settings):
    """95 % percentile interval of each metric, (rows, metrics, 2)."""
    return np.moveaxis(np.percentile(bootstrap_draws(labels, rows, metrics, **settings), (2.5, 97.5), axis=2), 0, 2)


@pytest.fixture
def sample():
    """60 normal and 40 abnormal items with overlapping scores."""
    rng = np.random.default_rng(3)
    return np.repeat([0, 1], [60, 40]), np.r_[rng.normal(size=60), rng.normal(1.2, size=40)]


def test_every_draw_equals_the_metric_of_the_repeated_items(sample):
    labels, scores = sample
    counts = np.concatenate(list(module.resampled(labels, 20, seed=5, patients=None)))
    assert (counts[:, labels == 0].sum(axis=1) == 60).all()
    assert (counts[:, labels == 1].sum(axis=1) == 40).all()
    (draws,) = bootstrap_draws(labels, [scores], METRICS, draws=20, seed=5)
    for draw, times in enumerate(counts):
        items = np.repeat(labels, times), np.repeat(scores, times)
        assert draws[0, draw] == pytest.approx(roc_auc_score(*items))
        assert draws[1, draw] == pytest.approx(average_precision_score(*items))


def test_interval_agrees_with_scipy_and_with_delong(sample):
    labels, scores = sample
    low, high = percentiles(labels, [scores], [auroc_of_counts], draws=4000)[0, 0]
    negatives, positives = scores[labels == 0], scores[labels == 1]
    psi = (positives[:, None] > negatives).astype(float)
    deviation = np.sqrt(psi.mean(1).var(ddof=1) / 40 + psi.mean(0).var(ddof=1) / 60)
    assert (high - low) / 2 == pytest.approx(norm.ppf(0.975) * deviation, rel=0.1)

    def area(a, b, axis=-1):
        return np.mean(a[..., :, None] > b[..., None, :], axis=(-1, -2))

    reference = bootstrap(
        (positives, negatives), area, n_resamples=4000, method="percentile", vectorized=True, rng=1, batch=500
    ).confidence_interval
    assert (low, high) == pytest.approx(reference, abs=0.01)


def test_scores_of_the_same_items_see_the_same_draws(sample):
    labels, scores = sample
    first, again = bootstrap_draws(labels, [scores, 3 * scores + 1], METRICS, draws=50)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal([first], bootstrap_draws(labels, [scores], METRICS, draws=50))
    assert not np.array_equal([first], bootstrap_draws(labels, [scores], METRICS, draws=50, seed=1))


def test_members_are_averaged_in_each_draw(sample):
    labels, scores = sample
    other = np.random.default_rng(0).permutation(scores)
    both, *single = bootstrap_draws(labels, [np.stack([scores, other]), scores, other], METRICS, draws=30)
    np.testing.assert_allclose(both, np.mean(single, axis=0))


def test_blocks_cover_all_draws(sample, monkeypatch):
    labels, scores = sample
    monkeypatch.setattr(module, "_BLOCK", 7 * len(labels))
    draws = bootstrap_draws(labels, [scores], METRICS, draws=20)
    assert draws.shape == (1, 2, 20)
    assert len(np.unique(draws[0, 0])) > 10


@given(st.data())
def test_patients_are_drawn_whole_and_both_classes_stay(data):
    n = data.draw(st.integers(4, 25))
    both = st.lists(st.integers(0, 1), min_size=n, max_size=n).filter(lambda x: 0 < sum(x) < n)
    labels = np.array(data.draw(both))
    patients = data.draw(st.lists(st.sampled_from("abcdefg"), min_size=n, max_size=n))
    counts = np.concatenate(list(module.resampled(labels, 30, 0, patients)))
    for patient in set(patients):
        theirs = counts[:, [i for i in range(n) if patients[i] == patient]]
        assert (theirs == theirs[:, :1]).all()
    assert (counts[:, labels == 0].sum(axis=1) > 0).all()
    assert (counts[:, labels == 1].sum(axis=1) > 0).all()


def test_distinct_and_unknown_patients_change_nothing(sample):
    labels, scores = sample
    alone = percentiles(labels, [scores], METRICS, draws=500)
    for patients in ([""] * 100, [f"patient {i}" for i in range(100)]):
        again = percentiles(labels, [scores], METRICS, draws=500, patients=patients)
        np.testing.assert_array_equal(again, alone)


def test_several_images_per_patient_widen_the_interval():
    rng = np.random.default_rng(0)
    patients = [f"{i // 5}" for i in range(200)]
    labels = np.repeat([0, 1], 100)
    scores = labels + np.repeat(rng.normal(size=40), 5) + 0.01 * rng.normal(size=200)
    width = [np.ptp(percentiles(labels, [scores], [auroc_of_counts], patients=p)) for p in (None, patients)]
    assert width[1] > 1.5 * width[0]


def test_wrong_input_is_refused(sample):
    labels, scores = sample
    with pytest.raises(ValueError, match="normal and abnormal"):
        percentiles(np.ones(3), [np.arange(3)], METRICS)
    with pytest.raises(ValueError, match="2 patients for 100"):
        percentiles(labels, [scores], METRICS, patients=["a", "b"])
    with pytest.raises(ValueError, match="item 1 is nan"):
        percentiles([0, 1], [[0, np.nan]], METRICS)


def test_a_difference_is_that_of_the_draws_of_both():
    rng = np.random.default_rng(2)
    labels = np.repeat([0, 1], 60)
    good, poor = rng.normal(size=120) + labels, rng.normal(size=120)
    found = paired_bootstrap(labels, good, poor, auroc_of_counts, draws=500)
    draws = bootstrap_draws(labels, [good, poor], [auroc_of_counts], 500)[:, 0]
    assert found.difference == pytest.approx(roc_auc_score(labels, good) - roc_auc_score(labels, poor))
    assert (found.low, found.high) == pytest.approx(np.percentile(draws[0] - draws[1], (2.5, 97.5)))
    assert found.p < 0.05 < paired_bootstrap(labels, poor, rng.normal(size=120), auroc_of_counts, draws=500).p
    assert paired_bootstrap(labels, good, good, auroc_of_counts, draws=50) == (0, 0, 0, 1)
    backwards = paired_bootstrap(labels, poor, good, auroc_of_counts, draws=500)
    assert backwards.difference == -found.difference
    assert backwards.p == pytest.approx(found.p)


def test_no_p_is_zero(sample):
    labels, _ = sample
    best = paired_bootstrap(labels, labels + 0.0, -labels, auroc_of_counts, draws=99)
    assert best.p == pytest.approx(2 / 100)  # no draw on the other side: (0 + 1) / (99 + 1), twice
    members = np.random.default_rng(0).normal(size=(3, 100))
    assert paired_bootstrap(labels, members, members[[2, 0, 1]], auroc_of_counts, draws=50).p == 1
