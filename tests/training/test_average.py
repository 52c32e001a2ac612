"""Averages of weights against sums by hand."""

import pytest
import torch

from medad.training.average import move_average, newest_share


def test_the_newest_weights_count_more_at_first():
    assert newest_share(0.999, 0) == pytest.approx(0.9)
    assert newest_share(0.999, 1) == pytest.approx(9 / 11)
    assert newest_share(0.999, 100_000) == pytest.approx(0.001)
    assert newest_share(0.0, 5) == 1


def test_an_average_is_the_weighted_sum_of_all_states():
    network = torch.nn.BatchNorm1d(3)
    average = torch.nn.BatchNorm1d(3)
    states, weight = [], torch.tensor(0.25)
    start = average.running_mean.clone()
    for _ in range(3):
        network(torch.randn(5, 3))
        states.append(network.running_mean.clone())
        move_average(average, network, weight)
    expected = 0.75**3 * start + sum(0.25 * 0.75 ** (2 - i) * state for i, state in enumerate(states))
    torch.testing.assert_close(average.running_mean, expected)
    assert average.num_batches_tracked.item() == 3
