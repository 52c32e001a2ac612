"""Training phases in processes: as many as the cores allow, and results do not depend on it."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from medad.errors import MedadError
from medad.memory import keep_freed_memory
from medad.progress import Advance, progress
from medad.training.loop import Interrupted, train_in_turns
from medad.training.main_module import GUARD, main_hidden, needs_main, reason_to_stay
from medad.training.slices import Slices
from medad.training.spec import Spec

DIED = "a training process died (out of memory?): go on with `resume`, perhaps with fewer `jobs`"
UNSTARTED = f"no training process could start: {GUARD}, or use jobs=1"
ON_A_GPU = 8  # phases that take turns there; a small network leaves most of a GPU idle


def train_phases(specs: Sequence[Spec], folder: Path, jobs: int, description: str = "training") -> None:
    """Train independent phases and leave them in `folder`.

    The weights are the same, bit for bit, for any number of `jobs` and after any restart.

    Parameters
    ----------
    specs : sequence of Spec
        Phases that do not depend on each other.
    folder : Path
        See :func:`medad.training.loop.train_in_turns`.
    jobs : int
        Number of cores to fill; with 1 the phases are trained in this process. Phases on a GPU always are.
    description : str
        Shown beside the progress bar.

    Raises
    ------
    KeyboardInterrupt
        After Ctrl-C, when all phases have saved their state.
    MedadError
        If a process died.
    """
    threads = max(spec.threads for spec in specs)
    on_cpu = all(spec.device == "cpu" for spec in specs)
    shared = on_cpu and jobs > 1 and len(specs) * threads > 1
    reason = reason_to_stay(specs) if shared else None
    if reason:
        print(f"training in one process, not {jobs}: {reason}", file=sys.stderr)
    with progress(sum(spec.steps for spec in specs), description) as advance, _interrupt_flag() as stopped:
        tally = Tally(advance)
        try:
            if shared and not reason:
                processes = max(min(jobs // threads, len(specs)), 1)
                _in_processes(Slices(specs, processes), folder, tally, stopped)
            else:
                train_in_turns(specs, folder, tally, stopped.is_set, at_once=1 if on_cpu else ON_A_GPU)
        except Interrupted:
            raise KeyboardInterrupt from None
        if stopped.is_set():  # too late to stop these phases, but not those that come next
            raise KeyboardInterrupt


class Tally:
    """Turns the steps that each phase has done into progress of all."""

    def __init__(self, advance: Advance) -> None:
        self.advance = advance
        self.done: dict[str, int] = {}

    def __call__(self, name: str, done: int) -> None:
        """Note that the phase `name` has done so many steps; what it begins with was done before."""
        before = self.done.get(name, 0)
        if done > before:
            self.advance(done - before, done_before=name not in self.done)
        self.done[name] = max(done, before)


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


def _in_processes(slices: Slices, folder: Path, tally: Tally, stopped: threading.Event) -> None:
    context = multiprocessing.get_context("spawn")
    steps, stop, started = context.SimpleQueue(), context.Event(), context.Event()
    with (
        ProcessPoolExecutor(slices.processes, context, _start_worker, (steps, stop, started)) as pool,
        _watch(steps, stop, stopped, tally),
    ):
        try:
            _deal(slices, lambda spec, until: pool.submit(_work, spec, folder, until))
        except BrokenProcessPool:
            raise MedadError(DIED if started.is_set() else UNSTARTED) from None
        except BaseException:
            stop.set()  # the others save their state and end
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _deal(slices: Slices, submit: Callable[[Spec, int], Future[int]]) -> None:
    """Keep all processes at work until every phase is finished."""
    running: dict[Future[int], Spec] = {}
    while True:
        while len(running) < slices.processes and (slice_ := slices.take()):
            # Both are inherited: Ctrl-C must not kill a process that still imports torch.
            with _interrupts_held(), nullcontext() if needs_main(slice_[0]) else main_hidden():
                running[submit(*slice_)] = slice_[0]
        if not running:
            return
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            slices.put_back(running.pop(future), future.result())


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back: it is heard afterwards, and never by processes that are started meanwhile."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _watch(steps: Any, stop: Any, stopped: threading.Event, tally: Tally) -> Iterator[None]:
    """Hand progress up and Ctrl-C down while the pool works."""
    ended = threading.Event()

    def drain() -> None:
        while not steps.empty():
            tally(*steps.get())

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


def _start_worker(steps: Any, stop: Any, started: Any) -> None:
    started.set()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it and says so
    keep_freed_memory()
    _worker.update(steps=steps, stop=stop)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when the parent ends, however it does: nobody else may write its files later."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)  # files are written whole or not at all


def _work(spec: Spec, folder: Path, until: int) -> int:
    steps = 0

    def report(name: str, done: int) -> None:
        nonlocal steps
        steps = done
        _worker["steps"].put((name, done))

    train_in_turns([spec], folder, report, _worker["stop"].is_set, until=until)
    return steps
