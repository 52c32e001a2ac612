"""Lists: q-values against a plain rendering, and false-discovery rates in simulation, AdaDetect's too."""

import numpy as np
import pytest

from medad.evaluation.calibration import conformal_p_values
from medad.evaluation.promises.adadetect import adadetect, halves
from medad.evaluation.promises.discoveries import expected_normal, q_values


def plain_q_values(p):
    order = np.argsort(p)
    q = np.empty(len(p))
    running = 1.0
    for rank in range(len(p), 0, -1):
        running = min(running, p[order[rank - 1]] * len(p) / rank)
        q[order[rank - 1]] = running
    return q


@pytest.mark.parametrize("count", [0, 1, 7, 200])
def test_q_values_are_benjaminis_and_hochbergs(count):
    p = np.random.default_rng(count).integers(1, 30, count) / 30
    np.testing.assert_allclose(q_values(p), plain_q_values(p))
    np.testing.assert_allclose(q_values(p, 0.5), 0.5 * plain_q_values(p))


def test_what_a_list_is_expected_to_hold():
    assert expected_normal(np.array([0.01, 0.1, 0.2, 1.0]), 0.1) == (2, 0.2)


def false_discoveries(q, abnormal, level):
    listed = q <= level
    return (listed & ~abnormal).sum() / max(listed.sum(), 1), listed[abnormal].mean()


@pytest.mark.parametrize("level", [0.1, 0.2])
def test_conformal_lists_keep_their_promise(level):
    rng = np.random.default_rng(0)
    abnormal = np.arange(100) < 30
    found = []
    for _ in range(600):
        calibration, scores = rng.normal(size=300), rng.normal(size=100) + 3 * abnormal
        found.append(false_discoveries(q_values(conformal_p_values(scores, calibration)), abnormal, level))
    rates, power = np.array(found).T
    error = rates.std() / np.sqrt(len(rates))
    assert rates.mean() < 0.7 * level + 4 * error  # the share of normal images times the level
    assert power.mean() > 0.6


@pytest.mark.parametrize("shift", [0.0, 0.6])
def test_adadetect_keeps_its_promise_and_finds_what_no_single_score_shows(shift):
    rng = np.random.default_rng(1)
    abnormal = np.arange(100) < 30
    found = []
    for seed in range(60):
        normal = rng.normal(size=(400, 8))
        listed = rng.normal(size=(100, 8)) + shift * 2 * abnormal[:, None] * ([1, -1] * 4)
        first, second = halves(400, seed)
        p = adadetect(normal[first], normal[second], listed, seed)
        found.append(false_discoveries(q_values(p), abnormal, 0.2))
    rates, power = np.array(found).T
    assert rates.mean() < (0.2 if shift == 0 else 0.7 * 0.2) + 4 * rates.std() / np.sqrt(len(rates)) + 1e-9
    assert power.mean() > 0.5 if shift else power.mean() < 0.05


def test_halves_are_random_and_share_nothing():
    first, second = halves(101, 0)
    assert sorted([*first, *second]) == list(range(101)) and len(first) == 50
    assert (np.diff(first) > 0).all() and not np.array_equal(first, halves(101, 1)[0])
