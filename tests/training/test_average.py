"""Averages of weights against sums by hand."""

import pytest
import torch

from medad.training.average import averaged, move_average, newest_share
from medad.training.phase import Phase


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


def test_a_phase_with_an_average_trains_as_without():
    def phase():
        torch.manual_seed(0)
        network = torch.nn.Linear(2, 1)
        optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
        numbers = []

        def step(batch):
            loss = network(batch[0]).square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            return loss.detach()

        rows = torch.arange(12.0).view(6, 2) / 10
        return Phase({"one": network}, {"one": optimiser}, lambda i: (rows[i],), step, 1, numbers.append), numbers

    (plain, _), (made, numbers) = phase(), phase()
    both = averaged(made, "one", 0.9)
    states = []
    for number in range(3):
        index = torch.tensor([2 * number, 2 * number + 1])
        losses = [one.advance(index, 2, number) for one in (plain, both)]
        assert torch.equal(losses[0][0], losses[1][0])
        states.append(plain.networks["one"].weight.detach().clone())
    assert numbers == [0, 1, 2]  # its own schedule is still asked
    assert torch.equal(both.networks["one_last"].weight, states[-1])
    expected = phase()[0].networks["one"].weight.detach()
    for number, state in enumerate(states):
        expected = torch.lerp(expected, state, newest_share(0.9, number))
    torch.testing.assert_close(both.networks["one"].weight, expected)
    assert set(both.result()) == {f"{name}/{part}" for name in ("one", "one_last") for part in ("weight", "bias")}
