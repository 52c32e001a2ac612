"""DICOMDIR: the index of a CD or an export, and the files that it lists."""

import os
from pathlib import Path

from medad.data.readers.contract import UnreadableImage
from medad.data.readers.dicom_file import opened, said
from medad.data.readers.files import count_frames, find_reader
from medad.data.readers.pillow import pillow_is_quiet
from medad.errors import UserError

NAME = "DICOMDIR"


def is_directory_index(path: Path) -> bool:
    """Return whether a file is a DICOMDIR, by its name and its content."""
    try:
        dicom = path.name.upper().startswith(NAME) and getattr(find_reader(path), "name", "") == "dicom"
    except OSError:
        return False
    return dicom and count_frames(path) == 0


@pillow_is_quiet()
def listed_files(path: Path) -> list[str]:
    """List the files that a DICOMDIR names.

    Returns
    -------
    list of str
        Paths relative to its folder, with ``/``, in its order, each once; whether they exist is not looked at, but
        names in other letters than those of the drive are found (CDs write capitals, and drives show small ones).

    Raises
    ------
    UserError
        If it cannot be read, or names a file that lies outside of its folder.
    """
    try:
        with opened(path) as file:
            records = said(file.data, "DirectoryRecordSequence") or ()
            names = [_parts(said(record, "ReferencedFileID")) for record in records]
    except UnreadableImage as error:
        raise UserError(f"{error}: give the folder instead") from None
    except Exception as error:  # pydicom raises anything on damaged files
        raise UserError(f"{path}: cannot be read ({error}): give its folder instead") from None
    return list(dict.fromkeys(_inside(path, parts) for parts in names if parts))


def _parts(value: object) -> list[str]:
    """Return the folders and the file that a record names; none for those of patients, studies and series."""
    if not value:
        return []
    return [value] if isinstance(value, str) else [str(part) for part in value]  # type: ignore[attr-defined]


def _inside(path: Path, parts: list[str]) -> str:
    """Return a name in the folder of a DICOMDIR; whatever leads out of it is refused."""
    odd = any(part in ("", ".", "..") or set(part) & set("/\\:\0") for part in parts)
    found = path.parent
    for part in () if odd else parts:
        found = _as_on_drive(found, part)
    home = os.path.realpath(path.parent)
    if odd or os.path.commonpath([home, os.path.realpath(found)]) != home:
        name = "/".join(parts)
        raise UserError(f"{path}: lists {name!r}, which lies outside of its folder: give the folder instead")
    return found.relative_to(path.parent).as_posix()


def _as_on_drive(folder: Path, name: str) -> Path:
    if os.path.lexists(folder / name) or not os.path.isdir(folder):
        return folder / name
    return folder / next((found for found in os.listdir(folder) if found.lower() == name.lower()), name)
