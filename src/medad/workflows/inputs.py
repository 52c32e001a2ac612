"""Which files ``medad predict`` and ``medad rank`` score: what the user names, but for what these wrote."""

import os
from collections.abc import Sequence
from contextlib import suppress
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

from medad.data.entries import Entry
from medad.data.finding import find_images
from medad.errors import UserError
from medad.ownership import read_marker
from medad.workflows.findings import HEATMAPS, PAGE, PREDICT, RANK, RESULTS, SCORES
from medad.workflows.notes import say


def find_inputs(inputs: Sequence[Path]) -> tuple[Entry, ...]:
    """Find the images.

    Parameters
    ----------
    inputs : sequence of Path
        Files, and folders that are searched for them. What earlier predictions wrote is passed over, also by a
        prediction into a folder of images, and text is set aside; how many files that are is said.

    Raises
    ------
    UserError
        If an input is not there, or there is nothing to score.
    """
    for path in inputs:
        _check(path)
    passed_over: set[Path] = set()
    written = lru_cache(_written)

    def is_result(path: Path) -> bool:
        if any(_holds(written(folder), path.relative_to(folder)) for folder in path.parents):
            passed_over.add(path)
        return path in passed_over

    try:
        found = find_images(inputs, is_result)
        for note in found.notes:
            say(note)
        return found.entries
    finally:
        if passed_over:
            say(f"{len(passed_over)} files of predictions are passed over, such as {min(passed_over)}")


def _check(path: Path) -> None:
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


def _holds(names: frozenset[str], path: Path) -> bool:
    """Return whether `path` or a folder that it lies in is among the names."""
    return bool(names) and any(part.as_posix() in names for part in (path, *path.parents))


def _written(folder: Path) -> frozenset[str]:
    """Return the names of what a prediction wrote into `folder`: by its marker, or as earlier versions named them."""
    with suppress(UserError, OSError):  # a file of the marker's name that is none
        marker = read_marker(folder)
        if marker is not None:
            return marker.names if marker.command in (PREDICT, RANK) else frozenset()
    pictures = any(os.path.exists(folder / name) for name in (HEATMAPS, PAGE))
    return frozenset(RESULTS) if pictures and os.path.isfile(folder / SCORES) else frozenset()
