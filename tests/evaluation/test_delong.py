"""DeLong's variance and test against the definition, and by simulation."""

import numpy as np
import pytest
from hypothesis import given
from scipy.stats import norm

from medad.evaluation.statistics import delong_test, delong_variance
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


def test_the_mean_of_members_has_the_variance_of_the_mean():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], (30, 40))
    members = rng.normal(size=(3, 70)) + labels
    parts = [np.mean(rows, axis=0) for rows in zip(*(placements(labels, m) for m in members), strict=True)]
    assert delong_variance(labels, members) == pytest.approx(brute_variance(*parts))


def obuchowski(labels, scores, patients):
    """The variance of clustered data, by the sums of the paper."""
    v10, v01 = placements(labels, scores)
    theta, names = v10.mean(), np.unique(patients)
    of, normal = patients[labels == 1], patients[labels == 0]
    a = np.array([v10[of == name].sum() - (of == name).sum() * theta for name in names])
    b = np.array([v01[normal == name].sum() - (normal == name).sum() * theta for name in names])
    m, n = len(v10), len(v01)
    i10, i01 = len(set(of)), len(set(normal))
    s10, s01 = (a**2).sum() * i10 / (i10 - 1) / m**2, (b**2).sum() * i01 / (i01 - 1) / n**2
    cross = (a * b).sum() / (m * n) * np.sqrt(i10 / (i10 - 1) * i01 / (i01 - 1))
    return s10 + s01 + 2 * cross


def test_the_images_of_a_patient_are_not_independent():
    rng = np.random.default_rng(6)
    labels, patients = np.repeat([0, 1], 60), np.array([f"{i}" for i in rng.integers(25, size=120)])
    scores = labels + rng.normal(size=120) + rng.normal(size=25)[patients.astype(int)]
    found = delong_variance(labels, scores, patients.tolist())
    assert found == pytest.approx(obuchowski(labels, scores, patients))
    assert found != delong_variance(labels, scores)
    assert delong_variance(labels, scores, [""] * 120) == delong_variance(labels, scores)
    assert np.isnan(delong_variance(labels, scores, [*"abcdefghij" * 6, *"z" * 60]))
    twice, whose = np.tile(scores, 3), np.tile(np.arange(120).astype(str), 3).tolist()
    assert delong_variance(np.tile(labels, 3), twice, whose) == pytest.approx(delong_variance(labels, scores))
    pair = delong_test(labels, scores, -scores), delong_test(np.tile(labels, 3), twice, -twice, patients=whose)
    assert pair[0] == pytest.approx(pair[1])


def test_a_score_does_not_differ_from_itself():
    rng = np.random.default_rng(1)
    labels, scores = np.repeat([0, 1], 50), rng.normal(size=100)
    assert delong_test(labels, scores, scores) == (0, 0, 0, 1)


def test_a_difference_without_a_variance_has_no_p():
    assert np.isnan(delong_test([0, 1] * 2, [0, 1] * 2, [1, 0] * 2).p)
    assert np.isnan(delong_test([0, 1, 1], [0, 1, 2], [1, 0, 2]).p)  # one normal item
    rng = np.random.default_rng(7)
    labels, members = np.repeat([0, 1], 50), rng.normal(size=(3, 100))
    assert delong_test(labels, members, members[[2, 0, 1]]).p == 1  # the same numbers in another order


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
