"""A published image, and how those that are pictures already are found and copied."""

import csv
import shutil
from dataclasses import dataclass
from pathlib import Path

from medad.data.entries import list_files
from medad.errors import UserError

NORMAL, UNLABELED, TEST = "normal", "unlabeled", "test"
IMAGES, MASKS = "images", "masks"  # folders of a data set that is ready
PICTURES = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True)
class Found:
    """A published image.

    Attributes
    ----------
    path : Path
        Its file.
    kind : str
        By which it is counted and dealt out; ``""`` for normal.
    split : str
        Where the publisher fixed it.
    name : str
        Of the file that is made of it; by default that of `path`.
    patient, findings : str
        Whose it is, and what it shows, where more is known than the kind.
    mask : Path or None
        The file of its abnormal region.
    frame : int or None
        Which image of the file, from 1.
    """

    path: Path
    kind: str = ""
    split: str = ""
    name: str = ""
    patient: str = ""
    findings: str = ""
    mask: Path | None = None
    frame: int | None = None

    @property
    def file(self) -> str:
        """Name of the file that is made of it."""
        return self.name or self.path.name


def copy_picture(image: Found, out: Path) -> None:
    """Copy an image, and its mask where there is one, as they are."""
    shutil.copyfile(image.path, out / IMAGES / image.file)
    if image.mask is not None:
        shutil.copyfile(image.mask, out / MASKS / image.file)


def files_in(folder: Path, suffixes: tuple[str, ...] = PICTURES, what: str = "images") -> list[Path]:
    """Return the pictures, or `what` ends with other `suffixes`, in `folder` and below it, sorted.

    Raises
    ------
    UserError
        If there are none.
    """
    found = [folder / name for name in list_files(folder) if name.lower().endswith(suffixes)]
    if not found:
        raise UserError(f"{folder}: no {what} here: give the folder that holds the data set as published")
    return found


def read_table(file: Path, columns: tuple[str, ...], how: str) -> list[dict[str, str]]:
    """Read a CSV file of labels.

    Raises
    ------
    UserError
        If it cannot be read, or lacks one of the `columns`; `how` says where to get it.
    """
    try:
        rows = list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: cannot be read ({error}); {how}") from error
    lacking = [column for column in columns if rows and column not in rows[0]]
    if lacking:
        raise UserError(f"{file}: has no column {lacking[0]}; {how} as it is published")
    return rows
