"""One cell in a process of its own, so that neither a crash nor a leak reaches the grid.

``python -m medad.experiments.grid.cell`` reads a request, one line of JSON, from standard input, and ends when
that is closed before its time: a cell does not outlive who asked for it.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import traceback
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path

from medad.errors import UserError
from medad.experiments.store import FILES
from medad.files import locked
from medad.memory import keep_freed_memory
from medad.ownership import claimed
from medad.training.run_folder import CONTROLS_FILE, OF_TRAINING, RUN, WEIGHTS_FILE
from medad.training.seen_images import SEEN_FILE
from medad.training.stopwatch import SECONDS_FILE, Stopwatch
from medad.training.workspace import CHECKPOINT_FOLDER, clear_workspace
from medad.workflows.evaluate import OF_RESULTS
from medad.workflows.options import TrainOptions

LOG, ERROR, LOCK, REPORT = "log.txt", "error.txt", ".lock", "report.html"
OF_CELL = (*OF_TRAINING, *OF_RESULTS, LOG, ERROR, LOCK, SECONDS_FILE)
ATTEMPTS = 3  # of a process that is killed, e.g. because memory ran out
INTERRUPTED = 130

_running: set[subprocess.Popen] = set()


@dataclass(frozen=True)
class Request:
    """What a cell's process is told: folders and split file as text, options as they stand in ``run.yaml``."""

    key: str
    data: str
    split: str | None
    folder: str
    store: str
    options: dict

    @property
    def finished(self) -> bool:
        """Whether the folder holds the whole result; the report is written last."""
        return all((Path(self.folder) / name).exists() for name in (*FILES, REPORT))


@dataclass(frozen=True)
class Outcome:
    """How it ended: ``error`` is empty or a message with its traceback; and the seconds it took.

    These are the time while a process of its own was at work on it: the sum over all attempts, also those of grids
    that were stopped or killed, of which up to :data:`medad.training.stopwatch.PERIOD` seconds are missing.
    """

    key: str
    error: str
    seconds: float


def attempt(request: Request) -> Outcome:
    """Run a cell in a process of its own, again where it is killed; a finished one is left as it is."""
    folder, code = Path(request.folder), 0
    with claimed_cell(folder), Stopwatch(folder / SECONDS_FILE) as watch:
        for _ in range(ATTEMPTS):
            code = 0 if request.finished else _spawn(request)
            if code >= 0 or code == -signal.SIGINT:
                break
        if code == 0:
            _tidy(folder)
        return Outcome(request.key, _trouble(folder, code), watch.seconds)


def claimed_cell(folder: Path) -> AbstractContextManager[Path]:
    """Claim the folder of a cell, which lies in a folder that is claimed already: one without marker is older."""
    return claimed(folder, RUN, OF_CELL, earlier=OF_CELL)


def interrupt() -> None:
    """Ask the cells that this process runs to save their state and end."""
    for process in list(_running):
        process.send_signal(signal.SIGINT)


def _trouble(folder: Path, code: int) -> str:
    """Say why a cell ended with this exit status; nothing if it ended well."""
    if code in (INTERRUPTED, -signal.SIGINT):
        return "interrupted"
    if code < 0:
        return f"killed by signal {-code}, {ATTEMPTS} times: out of memory? See {LOG} in {folder}"
    error = folder / ERROR
    told = error.read_text(encoding="utf-8") if error.exists() else f"ended with status {code}: see {LOG} in {folder}"
    return told if code else ""


def _spawn(request: Request) -> int:
    folder = Path(request.folder)
    (folder / ERROR).unlink(missing_ok=True)
    command = [sys.executable, "-m", "medad.experiments.grid.cell"]
    with (folder / LOG).open("ab") as log:
        # A session of its own: Ctrl-C on a terminal is for the grid, which hands it on once.
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=log, stderr=log, text=True, start_new_session=True
        )
        assert process.stdin is not None
        _running.add(process)
        try:
            process.stdin.write(json.dumps(asdict(request)) + "\n")
            process.stdin.flush()
            return process.wait()
        except BrokenPipeError:  # it ended before it was told what to do
            return process.wait()
        finally:
            process.kill()
            process.wait()
            _running.discard(process)


def main() -> int:
    """Run the cell that standard input asks for."""
    request = Request(**json.loads(sys.stdin.readline()))
    keep_freed_memory()
    threading.Thread(target=_end_with_asker, daemon=True).start()
    folder = Path(request.folder)
    try:
        with locked(folder / LOCK):  # another process may still be about to die here
            if not request.finished:
                _run(request, folder)
    except Exception as error:
        text = str(error) if isinstance(error, UserError) else traceback.format_exc()
        (folder / ERROR).write_text(text, encoding="utf-8")
        return 1
    except KeyboardInterrupt:
        os._exit(INTERRUPTED)  # at once: a thread still waits at standard input
    return 0


def _run(request: Request, folder: Path) -> None:
    from medad.training.phase_store import PhaseStore
    from medad.workflows.run import run

    split = Path(request.split) if request.split else None
    store = PhaseStore(Path(request.store))
    run(Path(request.data), TrainOptions(**request.options), out=folder, split=split, resume=True, store=store)


def _tidy(folder: Path) -> None:
    """Remove what is large: networks lie in the store."""
    for name in (WEIGHTS_FILE, CONTROLS_FILE, SEEN_FILE):
        (folder / name).unlink(missing_ok=True)
    clear_workspace(folder / CHECKPOINT_FOLDER)


def _end_with_asker() -> None:
    sys.stdin.read()
    os._exit(1)  # files are written whole or not at all


if __name__ == "__main__":
    sys.exit(main())
