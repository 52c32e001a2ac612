"""Dealing the steps of independent phases out to processes so that all of these end together."""

from collections.abc import Sequence

from medad.training.spec import Spec

SHORTEST = 250  # steps; handing a phase over costs about as much as ten steps


class Slices:
    """Who trains what next: always the phase with the most steps left, a slice of it at a time.

    A phase is in one process at a time. While there are more phases than processes, a slice is a
    quarter of a process's share of all that is left; then every phase is trained to its end.

    Parameters
    ----------
    specs : sequence of Spec
        The phases.
    processes : int
        How many of them are trained at a time.
    """

    def __init__(self, specs: Sequence[Spec], processes: int) -> None:
        self.processes = processes
        self.idle = {spec.name: spec for spec in specs}
        self.done = dict.fromkeys(self.idle, 0)
        self.left = {spec.name: spec.steps for spec in specs}

    def take(self) -> tuple[Spec, int] | None:
        """Return a phase and the step to which it is to be trained now; None if none is idle."""
        if not self.idle:
            return None
        spec = self.idle.pop(max(self.idle, key=lambda name: self.left[name]))
        return spec, min(self.done[spec.name] + self._length(), spec.steps)

    def put_back(self, spec: Spec, done: int) -> None:
        """Note that `spec` has come to step `done` and is idle, unless it is finished."""
        self.done[spec.name], self.left[spec.name] = done, spec.steps - done
        if done < spec.steps:
            self.idle[spec.name] = spec

    def _length(self) -> int:
        left = sum(self.left.values())
        if sum(steps > 0 for steps in self.left.values()) <= self.processes:
            return left
        return max(left // (4 * self.processes), SHORTEST)
