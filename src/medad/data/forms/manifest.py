"""CSV manifests, as spreadsheets write them, too."""

import codecs
import csv
import io
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from medad.data.entries import Entry
from medad.data.forms.listed import SPLITS, Listed, absolute, make_entry
from medad.data.groups import GROUPS, groups_of
from medad.errors import UserError

COLUMNS = ("path", "split", "label", "kind", "patient", "mask")
LABELS = {"": None, "0": 0, "1": 1, "0.0": 0, "1.0": 1}  # pandas writes 0.0 where some labels are missing
SEPARATORS = ",;\t"
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class NotAManifest(UserError):
    """A CSV file whose first line does not name the columns that a manifest must have."""


def read_csv(file: Path, root: Path) -> Listed:
    """Read a CSV manifest: columns path, split and, optional, label, kind, patient, mask, and those of `GROUPS`.

    Normal rows need no label, unlabeled rows may have one (it serves to draw a set with a chosen
    anomaly rate and never reaches a detector), test rows must have one. Other columns are ignored.
    Paths are relative to `root` or absolute; an id is always relative. Cells are separated by what the
    first line shows; text is UTF-8, or UTF-16 with its mark.

    Raises
    ------
    NotAManifest
        If the column path or split is missing.
    UserError
        If a split or a label is unknown; the line is named.
    """
    splits: dict[str, list[Entry]] = {split: [] for split in SPLITS}
    for place, row in _rows(file):
        split, label = row["split"].strip(), LABELS.get(row["label"].strip(), -1)
        if split not in splits:
            raise UserError(f"{place}: unknown split {split!r}: write normal, unlabeled or test")
        if label == -1 or (split == "normal" and label == 1) or (split == "test" and label is None):
            problem = f"{place}: label {row['label']!r} in split {split}"
            raise UserError(f"{problem}: write 0 for normal, 1 for abnormal")
        mask = absolute(root, row["mask"]) if row["mask"] else None
        id = Path(os.path.relpath(root / row["path"], root)).as_posix()
        entry = make_entry(root, id, label, row["kind"], row["patient"], mask)
        entry = replace(entry, groups=groups_of(row))
        splits[split].append(replace(entry, label=0) if split == "normal" else entry)
    return Listed(splits)


def _rows(file: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield every row with all columns (empty when absent), and the place for messages."""
    try:
        content = file.read_bytes()
        text = content.decode("utf-16" if content.startswith(UTF_16) else "utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=_separator(text, file))
        reader.fieldnames = [name.strip() for name in reader.fieldnames or []]
        for row in reader:
            place = f"{file}, line {reader.line_num}"
            if None in row or not row["path"]:
                raise UserError(f"{place}: no path, or more cells than columns: correct the line")
            yield place, {name: row.get(name) or "" for name in (*COLUMNS, *GROUPS)}
    except (OSError, ValueError, csv.Error) as error:
        raise UserError(f"{file}: not a UTF-8 CSV file that can be read ({error}): correct it") from None


def _separator(text: str, file: Path) -> str:
    """Return what separates the names of the columns."""
    first = text.split("\n", 1)[0]
    for separator in SEPARATORS:
        names = next(csv.reader([first], delimiter=separator), [])
        if {"path", "split"} <= {name.strip() for name in names}:
            return separator
    known = "commas, semicolons or tabs"
    raise NotAManifest(f"{file}: the first line must name the columns path and split, separated by {known}")
