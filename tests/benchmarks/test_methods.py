"""The cost of a method: its phases are measured and composed."""

import pytest

from benchmarks.methods import Cost, hours, measure


def test_hours_are_composed_from_steps():
    alone = [Cost("one", 0, 3600, 1, 1.0)]
    assert hours(alone, 1) == hours(alone, 2) == pytest.approx(1)
    three = [Cost(f"member_{k}", 0, 3600, 1, 1.0) for k in range(3)]
    assert hours(three, 2) == pytest.approx(1.5)
    assert hours([*three, Cost("long", 0, 3 * 3600, 1, 1.0)], 2) == pytest.approx(3)
    threaded = [Cost("refiner", 1, 3600, 2, 1.0)]
    assert hours([*three, *threaded], 2) == pytest.approx(2.5)
    assert hours(threaded * 2, 2) == pytest.approx(2)


@pytest.mark.parametrize("method", ["ae", "deep_svdd", "ddad"])
def test_every_phase_is_measured(method):
    costs = measure(method, preset="tiny", seconds=0)
    found = {
        "ae": [("ae", 0)],
        "deep_svdd": [("autoencoder", 0), ("deep_svdd", 1)],
        "ddad": [("ndm_1", 0), ("ndm_2", 0), ("udm_1", 0), ("udm_2", 0), ("r_intra", 1), ("r_dual", 1)],
    }
    assert [(cost.phase, cost.stage) for cost in costs] == found[method]
    assert all(cost.step_seconds > 0 and cost.steps == 2 for cost in costs)
