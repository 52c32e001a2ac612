"""One image and what is known about it; the files in a folder and the images in a file."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from medad.data.parallel import parallel_map
from medad.data.readers import count_frames, is_still, pillow_is_quiet
from medad.errors import UserError

WITHOUT = "without images (text, reports, indexes)"
LITTER = {"thumbs.db", "desktop.ini"}  # written by file browsers; hidden files are passed over too
LITTER_FOLDERS = {  # thumbnails, bins and snapshots of network drives and systems; in any case
    *("@eadir", "@__thumb", "@recycle", "@recently-snapshot", "@tmp", "#recycle", "#snapshot", "~snapshot"),
    *("$recycle.bin", "recycler", "system volume information", "lost+found", "__macosx"),
}


@dataclass(frozen=True)
class Entry:
    """An image, which is a file or a frame of one, and what is known about it.

    Attributes
    ----------
    id : str
        Path relative to the root of the data set, with ``/``, with its extension and, if the file
        holds several images, ``#`` and the frame: ``scans/a.tif#2``.
    path : Path
        Absolute path of the file.
    label : int or None
        0 normal, 1 abnormal, None unknown.
    kind, patient : str
        Kind of abnormality, patient; empty when unknown.
    mask : Path or None
        Absolute path of the image of the abnormal region.
    frame : int or None
        Which image of the file, from 1 as in DICOM; None for the only one.
    groups : mapping of str to str
        What else is known of :data:`medad.data.groups.GROUPS`.
    """

    id: str
    path: Path
    label: int | None = None
    kind: str = ""
    patient: str = ""
    mask: Path | None = None
    frame: int | None = None
    groups: Mapping[str, str] = field(default_factory=dict, hash=False)


class Listing(NamedTuple):
    """What lies in a folder: the names of its files, and of those that were passed over in `LITTER_FOLDERS`."""

    names: list[str]
    litter: list[str]

    @property
    def notes(self) -> tuple[str, ...]:
        """Say how many files were passed over."""
        if not self.litter:
            return ()
        few = f"{len(self.litter)} files in folders that systems keep for themselves are passed over"
        return (f"{few}, such as {self.litter[0]}",)


def list_files(folder: Path) -> list[str]:
    """Return the names of `list_folder`."""
    return list_folder(folder).names


def list_folder(folder: Path) -> Listing:
    """List the files in a folder and in the folders below it, links followed.

    Everything is listed, readable or not, so that nothing is dropped silently; only hidden
    files and the litter of file browsers and network drives are passed over.

    Parameters
    ----------
    folder : Path
        The folder; one that does not exist has no files.

    Returns
    -------
    Listing
        Paths relative to `folder`, with ``/``, sorted.

    Raises
    ------
    UserError
        If a folder cannot be listed.
    """
    names: list[str] = []
    litter: list[str] = []
    way: dict[str, frozenset[str]] = {}  # to each folder: its real path and those of the folders above it
    for parent, folders, files in os.walk(folder, onerror=_cannot_list, followlinks=True):
        real, above = os.path.realpath(parent), way.get(os.path.dirname(parent), frozenset())
        if real in above:  # a link that leads back: go no deeper
            folders.clear()
            continue
        way[parent] = above | {real}
        below = Path(os.path.relpath(parent, folder))
        for name in [name for name in folders if name.lower() in LITTER_FOLDERS]:
            folders.remove(name)
            litter += [os.path.relpath(file, folder) for file in _files_in(os.path.join(parent, name))]
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        kept = (name for name in files if not name.startswith(".") and name.lower() not in LITTER)
        names.extend((below / name).as_posix() for name in kept)
    return Listing(sorted(names), sorted(litter))


def _files_in(folder: str) -> list[str]:
    return [os.path.join(parent, name) for parent, _, files in os.walk(folder) for name in files]


def _cannot_list(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise UserError(f"{error.filename}: cannot be listed ({error.strerror}): check its permissions")


@pillow_is_quiet()
def count_images(entries: Sequence[Entry]) -> list[tuple[Entry, int]]:
    """Pair each file with the number of images in it, 0 for text; it is opened only if its name does not tell."""
    paths = [entry.path for entry in entries if not is_still(entry.path)]
    counts = dict(zip(paths, parallel_map(count_frames, paths, "looking into files"), strict=True))
    return [(entry, counts.get(entry.path, 1)) for entry in entries]


def frames_of(entry: Entry, count: int) -> list[Entry]:
    """Return an entry for each of the `count` images in the file of `entry`; it stays as it is if they are not many."""
    if count < 2:
        return [entry]
    return [replace(entry, id=f"{entry.id}#{frame}", mask=None, frame=frame) for frame in range(1, count + 1)]
