"""Finding the images in files and folders of which nothing is known."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from medad.data.entries import WITHOUT, Entry, Listing, count_images, frames_of, list_folder
from medad.data.readers.dicom_directory import is_directory_index, listed_files
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
        Files, and folders that are searched with all folders below them; a DICOMDIR stands for the files that it
        lists. A path that does not exist becomes an entry that cannot be read, so that it is reported with the
        others, and so does any file in a folder but those that are not meant to hold an image (text, and the reports,
        plans and indexes of DICOM), which are set aside. Where paths overlap, the first decides.
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
        If nothing is found, two files have the same id, or a DICOMDIR is damaged or names files outside its folder.
    """
    given = [Path(os.path.abspath(path)) for path in paths]
    files, litter = _files(given, leave_out)
    counted = count_images(files)
    aside = {entry.path for entry, count in counted if not count}.difference(given)
    entries = [one for entry, count in counted if entry.path not in aside for one in frames_of(entry, count)]
    if not entries:
        but = f" but {len(aside)} {WITHOUT}" if aside else ""
        raise UserError(f"{', '.join(map(str, paths))}: no files found{but}: give images or folders of images")
    _check_ids(entries)
    notes = (f"{len(aside)} files {WITHOUT} are set aside, such as {min(aside)}",) if aside else ()
    return Found(tuple(entries), (*litter, *notes))


def _files(paths: Sequence[Path], leave_out: Callable[[Path], bool]) -> tuple[list[Entry], list[str]]:
    """List the files, each once, and say what was passed over."""
    files: dict[Path, Entry] = {}
    notes: list[str] = []
    for path in paths:
        folder, listing = _listing(path)
        new = (Entry(name, folder / name) for name in listing.names)
        files |= {entry.path: entry for entry in new if entry.path not in files and not leave_out(entry.path)}
        notes += listing.notes
    return list(files.values()), notes


def _listing(path: Path) -> tuple[Path, Listing]:
    """Return a folder, and the names in it of the files that a path stands for."""
    if os.path.isdir(path):  # not path.is_dir(), which raises where permission is lacking
        return path, list_folder(path)
    return path.parent, Listing(listed_files(path) if is_directory_index(path) else [path.name], [])


def _check_ids(entries: Sequence[Entry]) -> None:
    first: dict[str, Entry] = {}
    for entry in entries:
        if first.setdefault(entry.id, entry) is not entry:
            both = f"{first[entry.id].path} and {entry.path}"
            raise UserError(f"two files have the id {entry.id} ({both}): give the folder that holds both")
