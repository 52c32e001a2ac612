"""Progress of long work: a bar with time left on a terminal, plain lines elsewhere."""

import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Advance = Callable[[float], None]

SILENT_SECONDS = 2.0
LINE_SECONDS = 15.0
RECENT = 5  # lines over which speed is measured: work that is resumed begins with a leap


@contextmanager
def progress(total: float, description: str) -> Iterator[Advance]:
    """Show how far a piece of work has come, on standard error; work of other threads than the main one is not shown.

    Parameters
    ----------
    total : float
        Amount of work, in the unit in which ``advance`` is called.
    description : str
        What is being done, e.g. ``"reading images"``.

    Yields
    ------
    callable
        ``advance(n)``: `n` more units are done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda n: None  # two bars at once would write over each other
        return
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines(total, description)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(description, total=total)
        yield lambda n: bar.advance(task, n)


class _Lines:
    """One line at most every 15 seconds, none for work that ends within two."""

    def __init__(self, total: float, description: str) -> None:
        self.total, self.description, self.done = total, description, 0.0
        begin = time.monotonic()
        self.lines = deque([(begin, 0.0)], maxlen=RECENT)
        self.next_line = begin + SILENT_SECONDS

    def __call__(self, n: float) -> None:
        self.done += n
        now = time.monotonic()
        then, before = self.lines[0]
        if now < self.next_line or self.done <= before:
            return
        self.next_line = now + LINE_SECONDS
        left = (now - then) * (self.total - self.done) / (self.done - before)
        self.lines.append((now, self.done))
        line = f"{self.description}: {self.done:.0f}/{self.total:.0f}, {max(left, 0):.0f} s left"
        with suppress(OSError):  # a terminal that has gone away must not end the work
            print(line, file=sys.stderr, flush=True)
