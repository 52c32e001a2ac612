"""One image file and what is known about it, and finding such files in folders."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from medad.errors import UserError

LITTER = {"thumbs.db", "desktop.ini"}  # written by file browsers; hidden files are passed over too


@dataclass(frozen=True)
class Entry:
    """An image file and what is known about it.

    Attributes
    ----------
    id : str
        Path relative to the root of the data set, with ``/`` and with its extension.
    path : Path
        Absolute path of the file.
    label : int or None
        0 normal, 1 abnormal, None unknown.
    kind, patient : str
        Kind of abnormality, patient; empty when unknown.
    mask : Path or None
        Absolute path of the image of the abnormal region.
    """

    id: str
    path: Path
    label: int | None = None
    kind: str = ""
    patient: str = ""
    mask: Path | None = None


def list_files(folder: Path) -> list[str]:
    """List the files in a folder and in the folders below it, links followed.

    Everything is listed, readable or not, so that nothing is dropped silently; only hidden
    files and the litter of file browsers are passed over.

    Parameters
    ----------
    folder : Path
        The folder; one that does not exist has no files.

    Returns
    -------
    list of str
        Paths relative to `folder`, with ``/``, sorted.

    Raises
    ------
    UserError
        If a folder cannot be listed.
    """
    names: list[str] = []
    way: dict[str, frozenset[str]] = {}  # to each folder: its real path and those of the folders above it
    for parent, folders, files in os.walk(folder, onerror=_cannot_list, followlinks=True):
        real, above = os.path.realpath(parent), way.get(os.path.dirname(parent), frozenset())
        if real in above:  # a link that leads back: go no deeper
            folders.clear()
            continue
        way[parent] = above | {real}
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        below = Path(os.path.relpath(parent, folder))
        kept = (name for name in files if not name.startswith(".") and name.lower() not in LITTER)
        names.extend((below / name).as_posix() for name in kept)
    return sorted(names)


def _cannot_list(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise UserError(f"{error.filename}: cannot be listed ({error.strerror}): check its permissions")


def find_images(paths: Sequence[Path], leave_out: Callable[[Path], bool] = lambda path: False) -> tuple[Entry, ...]:
    """Find the images to predict.

    Parameters
    ----------
    paths : sequence of Path
        Files, and folders that are searched with all folders below them. A path that does not
        exist becomes an entry that cannot be read, so that it is reported with the others. Where
        paths overlap, the first decides.
    leave_out : callable
        Given the absolute path of each file found: true for files that are none of the images.

    Returns
    -------
    tuple of Entry
        In the order of `paths`, a folder's files sorted. The id of a file found in a folder is
        its path relative to that folder; the id of a file given by itself is its name.

    Raises
    ------
    UserError
        If nothing is found or two files have the same id.
    """
    found: dict[str, Entry] = {}
    known: set[Path] = set()
    for path in (Path(os.path.abspath(path)) for path in paths):
        is_folder = os.path.isdir(path)  # not path.is_dir(), which raises where permission is lacking
        folder, names = (path, list_files(path)) if is_folder else (path.parent, [path.name])
        for entry in (Entry(name, folder / name) for name in names if folder / name not in known):
            if leave_out(entry.path):
                continue
            if entry.id in found:
                both = f"{found[entry.id].path} and {entry.path}"
                raise UserError(f"two files have the id {entry.id} ({both}): give the folder that holds both")
            found[entry.id] = entry
            known.add(entry.path)
    if not found:
        raise UserError(f"{', '.join(map(str, paths))}: no files found: give images or folders of images")
    return tuple(found.values())
