"""Scoring batches on all cores: one thread each, results in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def parallel_map(function: Callable[[Item], Result], items: Iterable[Item], threads: int) -> Iterator[Result]:
    """Yield ``function(item)`` in order, `threads` items at a time, each with one arithmetic thread.

    Measured on 2 cores, this is 10 to 25 % faster than one item at a time with all threads. No more than
    ``threads + 1`` results wait to be taken, so memory does not grow with the number of items.
    """
    before = torch.get_num_threads()
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads, initializer=_one_thread) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
            torch.set_num_threads(before)  # it is also the default of threads that start later


def _one_thread() -> None:
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # see medad.training.machine.denormals; the thread ends with the pool
