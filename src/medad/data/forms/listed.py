"""What a form lists, and what is common to files found in folders."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from medad.data.entries import WITHOUT, Entry, count_images, frames_of, list_folder
from medad.data.readers import is_image
from medad.errors import UserError

SPLITS = ("normal", "unlabeled", "test")


@dataclass(frozen=True)
class Listed:
    """The entries of each of `SPLITS`, and lines that the user should see."""

    splits: Mapping[str, Sequence[Entry]]
    notes: tuple[str, ...] = ()


def absolute(root: Path, name: str) -> Path:
    """Return the path of a file that is named relative to `root`."""
    return Path(os.path.normpath(root / name))


def make_entry(
    root: Path, id: str, label: int | None = None, kind: str = "", patient: str = "", mask: Path | None = None
) -> Entry:
    """Return the entry of an image by its id, which may name a frame."""
    path, frame = absolute(root, id), None
    file, mark, number = id.rpartition("#")
    if mark and number.isdecimal() and not os.path.lexists(path):  # not a file that is named so
        path, frame = absolute(root, file), int(number)
    return Entry(id, path, label, kind, patient, mask, frame)


def every_frame(splits: Mapping[str, Sequence[Entry]], notes: Sequence[str] = ()) -> Listed:
    """Give each image of files that hold several an entry of its own, without a mask; the others stay as they are.

    Files that hold none, such as the reports of a DICOM export, are set aside, which a note says.
    """
    counted = {split: count_images(entries) for split, entries in splits.items()}
    aside = [entry.id for pairs in counted.values() for entry, count in pairs if not count]
    frames = {
        split: [one for entry, count in pairs if count for one in frames_of(entry, count)]
        for split, pairs in counted.items()
    }
    said = (f"{len(aside)} files {WITHOUT} are set aside, such as {aside[0]}",) if aside else ()
    return Listed(frames, (*notes, *said))


def look_for_strays(
    root: Path, splits: Mapping[str, Sequence[Entry]], homes: str, other: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """Refuse images, and anything in ``test/``, that no split holds; note the litter that was passed over.

    Parameters
    ----------
    root : Path
        Folder of the data set.
    splits : mapping
        What was found there.
    homes : str
        Where images belong, for the message.
    other : tuple of str
        Beginnings of the names of files that are no images of a split.

    Raises
    ------
    UserError
        To drop them silently would be worse.
    """
    known = {entry.id for entries in splits.values() for entry in entries}
    listing = list_folder(root)
    outside = (name for name in listing.names if name not in known and not name.startswith(other))
    strays = [name for name in outside if name.startswith("test/") or is_image(root / name)]
    if strays:
        more = f" and {len(strays) - 1} more belong" if len(strays) > 1 else " belongs"
        raise UserError(f"{root / strays[0]}{more} to no split: move to {homes} or out of {root}")
    return listing.notes
