"""The folder in which a training keeps its state until it is done."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fnmatch import fnmatch
from pathlib import Path

from medad.errors import UserError
from medad.ownership import MARKER, RUN_FILE, mark, read_marker
from medad.training.checkpoint import read_metadata
from medad.training.stopwatch import SECONDS_FILE

CHECKPOINT_FOLDER = "checkpoint"
# what a training keeps
STATE = ("*.safetensors", "*.partial", "normal.npy", "unlabeled.npy", "descriptors.npy", SECONDS_FILE, RUN_FILE)


@contextmanager
def workspace(folder: Path | None, resume: bool) -> Iterator[Path]:
    """Yield the folder of the state of a training: ``checkpoint/`` in the run folder, a temporary one without.

    Raises
    ------
    UserError
        If there is a ``checkpoint`` that is not of a training.
    """
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="medad-") as temporary:
            yield Path(temporary)
        return
    work = Path(folder) / CHECKPOINT_FOLDER
    if not resume:
        clear_workspace(work)
    if work.is_symlink() or (work.exists() and not is_workspace(work) and any(work.iterdir())):
        raise UserError(f"{work}: not the state of a training; move it away or choose another `out`")
    work.mkdir(parents=True, exist_ok=True)
    mark(work, CHECKPOINT_FOLDER, STATE)
    yield work


def clear_workspace(work: Path) -> None:
    """Remove the state of a training, and its folder if there is nothing else in it; leave any other folder alone."""
    if not is_workspace(work):
        return
    for file in list(work.iterdir()):
        if _has_name_of_state(file):
            file.unlink()
    if all(file.name == MARKER for file in work.iterdir()):
        (work / MARKER).unlink(missing_ok=True)
        with suppress(OSError):
            work.rmdir()


def is_workspace(work: Path) -> bool:
    """Whether `work` holds the state of a training: it is marked, or has nothing but what earlier versions kept."""
    if work.is_symlink() or not work.is_dir():
        return False
    if marker := read_marker(work):
        return marker.command == CHECKPOINT_FOLDER
    files = list(work.iterdir())
    weights = [file for file in files if file.suffix == ".safetensors"]
    return bool(weights) and all(map(_has_name_of_state, files)) and all(map(_has_key, weights))


def _has_name_of_state(file: Path) -> bool:
    return any(fnmatch(file.name, name) for name in STATE) and file.is_file() and not file.is_symlink()


def _has_key(weights: Path) -> bool:
    """Whether a file of weights says with which options and data it was trained, as those of phases do."""
    try:
        return "key" in read_metadata(weights)
    except UserError:
        return False
