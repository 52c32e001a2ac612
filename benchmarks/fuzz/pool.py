"""Processes that read files under guard: one that hangs or dies is told, and replaced."""

import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue

from benchmarks.fuzz.hostile import HOSTILE, hostile
from benchmarks.fuzz.look import CRASH, HANG, Outcome, look
from benchmarks.fuzz.mutations import mutation
from medad.data.readers import pillow_is_quiet

SPACE = 8 << 30  # bytes of addresses: what takes more is an error, and the machine stays usable
MAKING = 120  # seconds, to start and to make a file, which are no part of reading it
HOSTILE_FAMILY = "hostile"


def read_all(cases: Sequence[str], seed: int, jobs: int, seconds: float) -> Iterator[Outcome]:
    """Make each of the `cases` and read it.

    Parameters
    ----------
    cases : sequence of str
        Numbers of mutations, and names in `HOSTILE`.
    seed : int
        Of the mutations.
    jobs : int
        Number of processes.
    seconds : float
        After which a file hangs.

    Yields
    ------
    Outcome
        One for each case, in order.
    """
    guards: SimpleQueue[Guard] = SimpleQueue()
    with tempfile.TemporaryDirectory(prefix="medad-fuzz-") as folder, ThreadPoolExecutor(jobs) as pool:
        everyone = [Guard(Path(folder) / str(number), seed, seconds) for number in range(jobs)]
        for guard in everyone:
            guards.put(guard)
        try:
            yield from pool.map(partial(_by_any, guards), cases)
        finally:
            for guard in everyone:
                guard.end()


def _by_any(guards: "SimpleQueue[Guard]", case: str) -> Outcome:
    guard = guards.get()
    try:
        return guard.read(case)
    finally:
        guards.put(guard)


class Guard:
    """One process that reads, and who waits for it."""

    def __init__(self, folder: Path, seed: int, seconds: float) -> None:
        self.folder, self.seed, self.seconds = folder, seed, seconds
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.line, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs, self.folder, self.seed), daemon=True)
        self.process.start()
        theirs.close()

    def read(self, case: str) -> Outcome:
        """Let the process read a case, and end it when that takes too long."""
        family, name = HOSTILE_FAMILY, case
        try:
            self.line.send(case)
            if not self.line.poll(MAKING):
                raise TimeoutError(f"{case} is not made after {MAKING} s")
            family, name = self.line.recv()
            if self.line.poll(self.seconds):
                return self.line.recv()
            what, why = HANG, f"no answer within {self.seconds:g} s"
        except (EOFError, OSError):
            self.process.join()
            what, why = CRASH, f"the process ended with {self.process.exitcode}"
        self.end()
        self._start()
        return Outcome(case, family, name, what, why, self.seconds, 0)

    def end(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.join()
        self.line.close()


def _work(line: Connection, folder: Path, seed: int) -> None:
    """Make and read cases until the other end of the line is closed; libraries in C may talk as they like."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    resource.setrlimit(resource.RLIMIT_AS, (SPACE, SPACE))
    os.environ["MEDAD_CACHE"] = f"{folder}-cache"  # beside it: a hostile folder may link to where it lies
    with pillow_is_quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        while True:
            try:
                case = line.recv()
            except EOFError:
                return
            family, path = make(case, seed, folder)
            line.send((family, path.name))
            line.send(look(case, family, path))


def make(case: str, seed: int, folder: Path) -> tuple[str, Path]:
    """Make the file of a case in `folder`, which is emptied; return its family and path."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if case in HOSTILE:
        return HOSTILE_FAMILY, hostile(case, folder)
    family, name, data = mutation(seed, int(case))
    (folder / name).write_bytes(data)
    return family, folder / name
