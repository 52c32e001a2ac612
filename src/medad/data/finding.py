"""Finding the images in files and folders of which nothing is known."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from medad.data.entries import Entry, Listing, count_images, frames_of, list_folder
from medad.errors import UserError


@dataclass(frozen=True)
class Found:
    """The images that were found, and lines that the user should see."""

    entries: tuple[Entry, ...]
    notes: tuple[str, ...] = ()


def find_images(paths: Sequence[Path], leave_out: Callable[[Path], bool] = lambda path: False) -> Found:
    """Find the images to predict.

    Parameters
    ----------
    paths : sequence of Path
        Files, and folders that are searched with all folders below them. A path that does not
        exist becomes an entry that cannot be read, so that it is reported with the others, and so
        does any file in a folder but text, which is set aside. Where paths overlap, the first decides.
    leave_out : callable
        Given the absolute path of each file found: true for files that are none of the images.

    Returns
    -------
    Found
        Entries in the order of `paths`, a folder's files sorted, a file's frames in order. The id of
        a file found in a folder is its path relative to that folder; the id of a file given by
        itself is its name. Notes count what was set aside or passed over.

    Raises
    ------
    UserError
        If nothing is found or two files have the same id.
    """
    given = [Path(os.path.abspath(path)) for path in paths]
    files, litter = _files(given, leave_out)
    counted = count_images(files)
    of_text = {entry.path for entry, count in counted if not count}.difference(given)
    entries = [one for entry, count in counted if entry.path not in of_text for one in frames_of(entry, count)]
    if not entries:
        aside = f" but {len(of_text)} of text" if of_text else ""
        raise UserError(f"{', '.join(map(str, paths))}: no files found{aside}: give images or folders of images")
    _check_ids(entries)
    notes = (f"{len(of_text)} files of text are set aside, such as {min(of_text)}",) if of_text else ()
    return Found(tuple(entries), (*litter, *notes))


def _files(paths: Sequence[Path], leave_out: Callable[[Path], bool]) -> tuple[list[Entry], list[str]]:
    """List the files, each once, and say what was passed over."""
    files: dict[Path, Entry] = {}
    notes: list[str] = []
    for path in paths:
        is_folder = os.path.isdir(path)  # not path.is_dir(), which raises where permission is lacking
        folder, listing = (path, list_folder(path)) if is_folder else (path.parent, Listing([path.name], []))
        new = (Entry(name, folder / name) for name in listing.names)
        files |= {entry.path: entry for entry in new if entry.path not in files and not leave_out(entry.path)}
        notes += listing.notes
    return list(files.values()), notes


def _check_ids(entries: Sequence[Entry]) -> None:
    first: dict[str, Entry] = {}
    for entry in entries:
        if first.setdefault(entry.id, entry) is not entry:
            both = f"{first[entry.id].path} and {entry.path}"
            raise UserError(f"two files have the id {entry.id} ({both}): give the folder that holds both")
