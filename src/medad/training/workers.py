"""Dealing phases out to processes: one per core, one thread each, so that results do not depend on it."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from medad.errors import MedadError
from medad.progress import Advance, progress
from medad.training.loop import Interrupted, train_phase
from medad.training.phase import PhaseSpec


def train_phases(specs: Sequence[PhaseSpec], folder: Path, jobs: int, description: str = "training") -> None:
    """Train independent phases, each with one thread, and leave them in `folder`.

    The weights are the same, bit for bit, for any number of `jobs` and after any restart.

    Parameters
    ----------
    specs : sequence of PhaseSpec
        Phases that do not depend on each other.
    folder : Path
        See :func:`medad.training.loop.train_phase`.
    jobs : int
        Number of processes; with 1 the phases are trained in this process.
    description : str
        Shown beside the progress bar.

    Raises
    ------
    KeyboardInterrupt
        After Ctrl-C, when all phases have saved their state.
    MedadError
        If a process died.
    """
    longest_first = sorted(specs, key=lambda spec: -spec.steps)
    with progress(sum(spec.steps for spec in specs), description) as advance, _interrupt_flag() as stopped:
        try:
            if jobs > 1 and len(specs) > 1:
                _in_processes(longest_first, folder, min(jobs, len(specs)), advance, stopped)
            else:
                with _one_thread():
                    for spec in longest_first:
                        train_phase(spec, folder, advance, stopped.is_set)
        except Interrupted:
            raise KeyboardInterrupt from None
        if stopped.is_set():  # too late to stop these phases, but not those that come next
            raise KeyboardInterrupt


@contextmanager
def _interrupt_flag() -> Iterator[threading.Event]:
    """Turn the first Ctrl-C into an event, so that no step is cut in half; the second one raises as ever."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return

    def on_interrupt(signum: int, frame: Any) -> None:
        event.set()
        signal.signal(signal.SIGINT, previous)

    previous = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, previous)


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _in_processes(
    specs: Sequence[PhaseSpec], folder: Path, jobs: int, advance: Advance, stopped: threading.Event
) -> None:
    context = multiprocessing.get_context("spawn")
    steps, stop = context.SimpleQueue(), context.Event()
    with ProcessPoolExecutor(jobs, context, _start_worker, (steps, stop)) as pool:
        with _interrupts_ignored():  # inherited: Ctrl-C must not kill a process that still imports torch
            futures = [pool.submit(_work, spec, folder) for spec in specs]
        with _watch(steps, stop, stopped, advance):
            try:
                _first_error(futures)
            except BrokenProcessPool:
                raise MedadError(
                    "a training process died (out of memory? a script that calls fit outside of "
                    '`if __name__ == "__main__":`?): go on with --resume, perhaps with fewer --jobs'
                ) from None
            except BaseException:
                stop.set()  # the others save their state and end
                pool.shutdown(wait=False, cancel_futures=True)
                raise


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


def _first_error(futures: Sequence[Future[None]]) -> None:
    for future in as_completed(futures):
        future.result()


@contextmanager
def _watch(steps: Any, stop: Any, stopped: threading.Event, advance: Callable[[float], None]) -> Iterator[None]:
    """Hand progress up and Ctrl-C down while the pool works."""
    ended = threading.Event()

    def drain() -> None:
        while not steps.empty():
            advance(steps.get())

    def look() -> None:
        while not ended.wait(0.2):
            drain()
            if stopped.is_set():
                stop.set()

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        drain()


_worker: dict[str, Any] = {}


def _start_worker(steps: Any, stop: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it and says so
    torch.set_num_threads(1)
    _worker.update(steps=steps, stop=stop)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when the parent ends, however it does: nobody else may write its files later."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)  # files are written whole or not at all


def _work(spec: PhaseSpec, folder: Path) -> None:
    train_phase(spec, folder, _worker["steps"].put, _worker["stop"].is_set)
