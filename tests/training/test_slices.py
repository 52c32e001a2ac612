"""How phases are dealt out to processes, played through with a clock of steps."""

import heapq
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medad.training.slices import SHORTEST, Slices
from medad.training.spec import Recipe, Spec

DDAD = [7750] * 3 + [3750] * 3  # steps of the members of UDM and NDM on 2000 and 1000 images, 250 epochs


def play(steps: list[int], processes: int) -> tuple[int, int, Counter[str]]:
    """Return when the last process ends, the number of slices and the steps made of each phase."""
    slices = Slices([Spec(str(i), "", None, 0, Recipe(1, 1, n)) for i, n in enumerate(steps)], processes)
    clock, running, made, count = 0, [], Counter(), 0
    while True:
        while len(running) < processes and (taken := slices.take()):
            spec, until = taken
            assert spec.name not in [name for _, name, *_ in running]
            assert slices.done[spec.name] < until <= spec.steps
            heapq.heappush(running, (clock + until - slices.done[spec.name], spec.name, spec, until))
            count += 1
        if not running:
            return clock, count, made
        clock, name, spec, until = heapq.heappop(running)
        made[name] += until - slices.done[name]
        slices.put_back(spec, until)


@given(st.lists(st.integers(1, 20_000), min_size=1, max_size=12), st.integers(1, 16))
def test_every_step_is_made_and_the_processes_end_together(steps, processes):
    end, _, made = play(steps, processes)
    assert [made[str(i)] for i in range(len(steps))] == steps
    shortest_possible = max(sum(steps) / processes, max(steps))
    assert end <= 1.25 * shortest_possible + SHORTEST


@pytest.mark.parametrize("processes", [2, 4])
def test_ddad_ends_within_three_percent_of_the_shortest_time(processes):
    end, count, _ = play(DDAD, processes)
    assert end <= 1.03 * max(sum(DDAD) / processes, max(DDAD))
    assert count < 60


def test_with_a_process_for_each_phase_none_is_cut():
    assert play(DDAD, 6)[:2] == (7750, 6)


def test_what_a_checkpoint_has_done_already_counts():
    slices = Slices([Spec(name, "", None, 0, Recipe(1, 1, 5000)) for name in "ab"], 1)
    spec, _ = slices.take()
    slices.put_back(spec, 4000)
    assert slices.take()[0].name == "b"
