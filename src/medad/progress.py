"""Progress of long work: a bar with time left on a terminal and in a notebook, plain lines elsewhere."""

import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from importlib.util import find_spec
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

SILENT_SECONDS = 2.0
LINE_SECONDS = 15.0
RECENT = 5  # lines over which speed is measured
MEASURED_SECONDS = 2.0  # of steady work, before anything is said of the time left


class Advance(Protocol):
    """What :func:`progress` yields."""

    def __call__(self, n: float, done_before: bool = False) -> None:
        """Note that `n` more units are done; `done_before` says that they were found done, as after a restart."""


@contextmanager
def progress(total: float, description: str) -> Iterator[Advance]:
    """Show how far a piece of work has come; work of other threads than the main one is not shown.

    Lines and the bar of a terminal go to standard error; a notebook shows the bar below its cell, where ipywidgets
    are installed.

    Parameters
    ----------
    total : float
        Amount of work, in the unit in which ``advance`` is called.
    description : str
        What is being done, e.g. ``"reading images"``.

    Yields
    ------
    Advance
        To be called as the work goes on.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda n, done_before=False: None  # two bars at once would write over each other
        return
    console = Console(stderr=True)
    if not (console.is_terminal or _draws_in_notebook(console)):
        yield _Lines(total, description)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[left]}"))
    with Progress(*columns, console=console, transient=True) as bar:
        task, pace = bar.add_task(description, total=total, left=""), Pace(total)

        def advance(n: float, done_before: bool = False) -> None:
            pace.advance(n, done_before)
            left = pace.seconds_left()
            told = "" if left is None else f"{timedelta(seconds=round(left))} left"
            bar.update(task, advance=n, left=told)

        yield advance


def _draws_in_notebook(console: Console) -> bool:
    """Return whether rich can draw a bar that moves: in a notebook only with ipywidgets, and it warns without."""
    return console.is_jupyter and find_spec("ipywidgets") is not None


class Pace:
    """How much is done, and from recent speed, how long the rest takes.

    Only units that were done while it looked on count for the speed, and only after the first of them: before that
    processes start and steps are compiled.
    """

    def __init__(self, total: float) -> None:
        self.total, self.done, self.watched = total, 0.0, 0.0
        self.marks: deque[tuple[float, float]] = deque(maxlen=RECENT)  # when how many had been watched

    def advance(self, n: float, done_before: bool = False) -> None:
        """Note `n` more units, see :class:`Advance`."""
        self.done += n
        if done_before or n <= 0:
            return
        self.watched += n
        if not self.marks or time.monotonic() - self.marks[-1][0] >= LINE_SECONDS:
            self.marks.append((time.monotonic(), self.watched))

    def seconds_left(self) -> float | None:
        """Return how long the rest takes; None until that has been measured."""
        if not self.marks:
            return None
        then, before = self.marks[0]
        seconds, units = time.monotonic() - then, self.watched - before
        if seconds < MEASURED_SECONDS or units <= 0:
            return None
        return max(seconds * (self.total - self.done) / units, 0.0)


class _Lines:
    """One line at most every 15 seconds, none for work that ends within two."""

    def __init__(self, total: float, description: str) -> None:
        self.pace, self.description, self.told = Pace(total), description, 0.0
        self.next_line = time.monotonic() + SILENT_SECONDS

    def __call__(self, n: float, done_before: bool = False) -> None:
        self.pace.advance(n, done_before)
        if time.monotonic() < self.next_line or self.pace.done <= self.told:
            return
        self.next_line, self.told = time.monotonic() + LINE_SECONDS, self.pace.done
        left = self.pace.seconds_left()
        rest = "" if left is None else f", {left:.0f} s left"
        line = f"{self.description}: {self.pace.done:.0f}/{self.pace.total:.0f}{rest}"
        with suppress(OSError):  # a terminal that has gone away must not end the work
            print(line, file=sys.stderr, flush=True)
