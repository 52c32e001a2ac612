"""A stream that does not change hardly ever raises the alarm; one that does raises it soon."""

import numpy as np
import pytest

from medad.evaluation.promises.stream import Stream


def highest(stream, scores, seed=0):
    top = 1.0
    for i, score in enumerate(scores):
        stream = stream.after([score], seed)
        assert stream.cases == i + 1
        top = max(top, stream.evidence)
    return top


def test_the_chance_of_a_false_alarm_is_what_ville_says():
    rng = np.random.default_rng(0)
    rounds = 200
    alarms = sum(highest(Stream.beginning(rng.normal(size=50)), rng.normal(size=300), i) >= 20 for i in range(rounds))
    assert alarms / rounds < 0.05 + 4 * np.sqrt(0.05 * 0.95 / rounds)


def test_the_p_values_are_uniform_also_with_ties():
    rng = np.random.default_rng(1)
    stream = Stream.beginning(rng.integers(0, 3, 40))
    assert highest(stream, rng.integers(0, 3, 400)) < 20


@pytest.mark.parametrize("shift", [-2.0, 2.0])
def test_a_change_is_noticed(shift):
    rng = np.random.default_rng(2)
    stream = Stream.beginning(rng.normal(size=100)).after(rng.normal(size=50))
    assert stream.evidence < 20
    assert highest(Stream.beginning(rng.normal(size=100)), rng.normal(size=60) + shift) > 100


def test_days_can_be_taken_one_by_one():
    rng = np.random.default_rng(3)
    reference, cases = rng.normal(size=30), rng.normal(size=20)
    whole = Stream.beginning(reference).after(cases)
    parts = Stream.beginning(reference).after(cases[:7]).after(cases[7:])
    assert parts.scores == whole.scores and parts.cases == 20
    np.testing.assert_allclose(parts.capital, whole.capital, rtol=1e-12)
