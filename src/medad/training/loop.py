"""The training loop: phases in turns, until they are finished or asked to stop."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch

from medad.training.checkpoint import check_key, read_metadata
from medad.training.job import Job, finished_path, partial_path
from medad.training.machine.denormals import flushed
from medad.training.spec import Spec

Report = Callable[[str, int], None]


class Interrupted(Exception):
    """Training was asked to stop; what was done is in the checkpoint."""


def train_in_turns(
    specs: Sequence[Spec],
    folder: Path,
    report: Report,
    stop: Callable[[], bool],
    at_once: int = 1,
    until: int | None = None,
) -> None:
    """Train phases in this process and leave each in ``folder/NAME.safetensors``.

    A phase that was stopped and resumed ends with the same weights: bit for bit on a CPU.

    Parameters
    ----------
    specs : sequence of Spec
        What to train.
    folder : Path
        Where results and, until then, ``NAME.partial.safetensors`` are kept. A finished
        phase with the same key is left as it is; a partial one goes on.
    report : callable
        Told a phase's name and how many of its steps are done.
    stop : callable
        Asked between chunks; when true the states are saved and `Interrupted` raised.
    at_once : int
        How many phases take turns, a chunk each: on a GPU their streams then overlap.
    until : int, optional
        Number of steps after which the state is saved for another call to go on; the last by default.

    Raises
    ------
    UserError
        If the folder holds a phase with another key.
    MedadError
        If a checkpoint cannot be written.
    """
    waiting, running = deque(specs), deque[Job]()
    with _undisturbed(specs[0].device):
        while waiting or running:
            while waiting and len(running) < at_once:
                running.extend(_begin(waiting.popleft(), folder, report))
            if running:
                _turn(running, report, stop, until)


def _begin(spec: Spec, folder: Path, report: Report) -> list[Job]:
    """Return the job of a phase; none if it is finished."""
    finished = finished_path(folder, spec.name)
    if not finished.exists():
        job = Job(spec, folder)
        report(spec.name, job.done)
        return [job]
    check_key(finished, read_metadata(finished), spec.key)
    _end(spec, folder, report)
    return []


def _turn(running: deque[Job], report: Report, stop: Callable[[], bool], until: int | None) -> None:
    """Let the first job make a chunk, and queue up again unless it has come to its end."""
    if stop():
        for job in running:
            job.save()
        raise Interrupted
    job = running.popleft()
    goal = job.spec.steps if until is None else until
    if job.done < goal:
        job.advance()
        report(job.spec.name, job.done)
    if job.finished:
        _end(job.spec, job.folder, report)
    elif job.done >= goal:
        job.save()
    else:
        running.append(job)


def _end(spec: Spec, folder: Path, report: Report) -> None:
    partial_path(folder, spec.name).unlink(missing_ok=True)
    report(spec.name, spec.steps)


@contextmanager
def _undisturbed(device: str) -> Iterator[None]:
    """Leave the process's threads, random state and arithmetic as they were."""
    threads = torch.get_num_threads()
    try:
        with torch.random.fork_rng(devices=[] if device == "cpu" else [device]), flushed():
            yield
    finally:
        torch.set_num_threads(threads)
