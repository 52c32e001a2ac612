"""Doing the same to many files, in threads, with a progress bar."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from medad.progress import progress

Item = TypeVar("Item")
Result = TypeVar("Result")

CHUNK = 32  # files per task: with one file per task, threads lose on small images what they gain


def parallel_map(
    function: Callable[[Item], Result], items: Sequence[Item], description: str, jobs: int | None = None
) -> Iterator[Result]:
    """Yield ``function(item)`` for every item, in order.

    Threads serve as well as processes here, and need nothing pickled: Pillow and hashlib release
    Python's lock while they work (measured: 1.35 to 2 times as fast on 2 cores).

    Parameters
    ----------
    function : callable
        What to do with one item; an exception it raises ends the work.
    items : sequence
        Usually entries with files.
    description : str
        What the progress bar says.
    jobs : int, optional
        Number of threads; None takes one per core.
    """
    chunks = [items[i : i + CHUNK] for i in range(0, len(items), CHUNK)]
    with progress(len(items), description) as advance, ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
        for results in pool.map(lambda chunk: [function(item) for item in chunk], chunks):
            yield from results
            advance(len(results))
