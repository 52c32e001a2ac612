"""Promised false-alarm rates hold in simulation; where too few images promise them, that is refused."""

import numpy as np
import pytest

from medad.errors import UserError
from medad.evaluation.calibration import threshold_at_specificity
from medad.evaluation.promises.false_alarms import false_alarms, images_needed, of_patients


@pytest.mark.parametrize(("rate", "needed"), [(0.05, 19), (0.1, 9), (0.01, 99), (0.5, 1), (1 / 3, 2)])
def test_how_many_images_a_promise_takes(rate, needed):
    assert images_needed(rate) == needed
    assert false_alarms(np.arange(float(needed)), rate).promised == pytest.approx(rate)


def test_a_promise_that_cannot_be_kept_is_refused():
    with pytest.raises(UserError, match=r"18 held-out .* rate of 0.05; hold out at least 19, or ask for 0.0526"):
        false_alarms(np.arange(18.0), 0.05)
    with pytest.raises(ValueError, match="finite"):
        false_alarms(np.array([1.0, np.nan]), 0.5)


@pytest.mark.parametrize("m", [19, 50, 200, 1000])
@pytest.mark.parametrize("rate", [0.05, 0.1, 0.2])
def test_the_threshold_is_that_of_the_specificity(m, rate):
    scores = np.random.default_rng(m).normal(size=m)
    found = false_alarms(scores, rate)
    assert found.threshold == threshold_at_specificity(scores, 1 - rate)
    assert found.promised <= rate + 1e-12 and found.promised > rate - 1 / (m + 1)
    assert found.images == m


@pytest.mark.parametrize(("m", "rate"), [(19, 0.05), (100, 0.05), (300, 0.1)])
def test_the_rate_and_its_interval_hold(m, rate):
    rng = np.random.default_rng(0)
    rounds = 4000
    rates, inside = [], 0
    for _ in range(rounds):
        found = false_alarms(rng.uniform(size=m), rate)
        true = 1 - found.threshold  # of uniform scores
        rates.append(true)
        inside += found.low <= true <= found.high
    assert abs(np.mean(rates) - found.promised) < 4 * np.std(rates) / np.sqrt(rounds)
    assert abs(inside / rounds - 0.95) < 4 * np.sqrt(0.95 * 0.05 / rounds)


def test_ties_only_make_fewer_false_alarms():
    rng = np.random.default_rng(1)
    rates = []
    for _ in range(1000):
        scores = rng.integers(0, 5, 60).astype(float)
        rates.append((rng.integers(0, 5, 1000) >= false_alarms(scores, 0.25).threshold).mean())
    assert np.mean(rates) <= 0.25


def test_patients_are_judged_by_their_highest_score():
    scores = np.array([1.0, 5.0, 2.0, 7.0, 3.0])
    assert sorted(of_patients(scores, ["a", "a", "", "b", ""])) == [2.0, 3.0, 5.0, 7.0]
