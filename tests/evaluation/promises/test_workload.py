"""How long a list is and what it is worth, against counting."""

import numpy as np
import pytest
from scipy import stats

from medad.evaluation.promises.workload import net_benefit, reading


def sample(seed=0, n=400, m=300, shift=1.5):
    rng = np.random.default_rng(seed)
    return np.repeat([0, 1], [n, m]), np.concatenate([rng.normal(size=n), rng.normal(size=m) + shift])


@pytest.mark.parametrize("recall", [0.5, 0.95, 1.0])
def test_a_list_is_as_long_as_counting_says(recall):
    labels, scores = sample()
    found = reading(labels, scores, recall, 0.1)
    threshold = np.sort(scores[labels == 1])[::-1][int(np.ceil(recall * 300 - 1e-9)) - 1]
    false_alarms = (scores[labels == 0] >= threshold).mean()
    assert found.read == pytest.approx(0.1 * recall + 0.9 * false_alarms)
    assert found.normals == pytest.approx(0.9 * false_alarms / (0.1 * recall))
    assert found.low <= found.read <= found.high


def test_nothing_is_read_in_vain_where_classes_are_apart():
    found = reading(np.array([0, 0, 1, 1]), np.array([1.0, 2, 3, 4]), 1.0, 0.25)
    assert (found.read, found.normals) == (0.25, 0)


def test_the_interval_holds():
    held = 0
    true = 0.1 * 0.95 + 0.9 * stats.norm.sf(1.5 - stats.norm.ppf(0.95))
    for seed in range(200):
        found = reading(*sample(seed), 0.95, 0.1)
        held += found.low <= true <= found.high
    assert held / 200 > 0.95 - 3 * np.sqrt(0.95 * 0.05 / 200)


def test_the_decision_curve_is_that_of_the_best_threshold():
    labels, scores = sample(3)
    worth = np.array([0.0, 0.05, 0.3, 5.0])
    found = net_benefit(labels, scores, worth, 0.2)
    thresholds = [*np.unique(scores), np.inf]
    rates = np.array([[(scores[labels == c] >= t).mean() for c in (1, 0)] for t in thresholds])
    expected = [(0.2 * rates[:, 0] - 0.8 * rates[:, 1] * w).max() for w in worth]
    np.testing.assert_allclose(found, expected)
    assert (found >= np.maximum(0.2 - 0.8 * worth, 0) - 1e-12).all()  # never worse than reading all, or none
