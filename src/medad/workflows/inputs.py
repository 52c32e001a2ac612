"""Which files ``medad predict`` scores: what the user names, but for what predictions wrote."""

import os
from collections.abc import Sequence
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path

from medad.data.entries import Entry, find_images
from medad.errors import UserError
from medad.workflows.findings import HEATMAPS, PAGE, RESULTS, SCORES
from medad.workflows.notes import say


def find_inputs(inputs: Sequence[Path], out: Path) -> tuple[Entry, ...]:
    """Find the images.

    Parameters
    ----------
    inputs : sequence of Path
        Files, and folders that are searched for them.
    out : Path
        Folder of the results. What lies in it is passed over, and so is what earlier predictions wrote
        elsewhere; how many files that are is said.

    Raises
    ------
    UserError
        If an input is not there or lies in `out`, or there is nothing to score.
    """
    own = Path(os.path.abspath(out))
    for path in inputs:
        _check(path, own)
    passed_over: set[Path] = set()

    def is_result(path: Path) -> bool:
        if path.is_relative_to(own) or any(_wrote(parent, path) for parent in path.parents):
            passed_over.add(path)
        return path in passed_over

    try:
        return find_images(inputs, is_result)
    finally:
        if passed_over:
            say(f"{len(passed_over)} files of predictions are passed over, such as {min(passed_over)}")


def _check(path: Path, out: Path) -> None:
    if Path(os.path.abspath(path)).is_relative_to(out):
        raise UserError(f"{path}: lies in the folder of the results; choose another --out")
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        close = _close(path)
        meant = f"; did you mean {close}?" if close else ": give images or folders of images"
        raise UserError(f"{path}: no such file or folder{meant}") from None
    except OSError:
        pass  # what cannot be looked at is told with the files that cannot be read


def _close(path: Path) -> Path | None:
    """Return what is there by a name close to the first part of `path` that is not; None without such a name."""
    missing = path
    while not os.path.lexists(missing.parent):
        missing = missing.parent
    names: list[str] = []
    with suppress(OSError):  # no folder, or none that may be listed
        names = get_close_matches(missing.name, os.listdir(missing.parent), 1)
    likely = [missing.with_name(names[0]) / path.relative_to(missing), missing.with_name(names[0])] if names else []
    return next((file for file in likely if os.path.lexists(file)), None)


def _wrote(folder: Path, path: Path) -> bool:
    """Return whether a prediction into `folder` wrote the file `path` below it."""
    return path.relative_to(folder).parts[0] in RESULTS and _is_prediction(folder)


def _is_prediction(folder: Path) -> bool:
    """Return whether a prediction wrote into `folder`: its scores stand beside its pictures."""
    beside = any(os.path.exists(folder / name) for name in (HEATMAPS, PAGE))
    return beside and os.path.isfile(folder / SCORES)
