"""Interleaved timing: what is compared is measured in turns, so that a slow minute of the machine hits all alike."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median


@dataclass
class Piece:
    """A piece of work that is timed.

    Attributes
    ----------
    name : str
        Unique, e.g. ``"reference/ndm_epoch"``.
    run : callable
        Does the work.
    units : int
        How many units of it (steps, images) a run does.
    seconds : list of float
        Time of each run so far.
    """

    name: str
    run: Callable[[], object]
    units: int
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """Return the median time of a run."""
        return median(self.seconds)

    def time(self) -> None:
        """Run once."""
        begin = time.perf_counter()
        self.run()
        self.seconds.append(time.perf_counter() - begin)


def interleave(pieces: Sequence[Piece], rounds: int) -> None:
    """Run all pieces in turn, `rounds` times over."""
    for number in range(rounds):
        for piece in pieces:
            piece.time()
            say(f"round {number + 1}/{rounds}, {piece.name}: {piece.seconds[-1]:.2f} s for {piece.units}")


def say(line: str) -> None:
    """Tell how far the measurement is."""
    print(line, file=sys.stderr, flush=True)
