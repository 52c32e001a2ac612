"""The four forms of a repartition: data.json, CSV manifest, MVTec folders, plain folders.

Each reader returns the entries of the three splits. Names inside a file are relative to the
root of the data set; those in a data.json to ``images/`` there; ``a.tif#2`` is a frame of ``a.tif``.
Of files found in folders every frame is an image.
"""

import csv
import json
import os
import posixpath
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from medad.data.entries import Entry, every_frame, list_files
from medad.data.readers import is_image
from medad.errors import UserError

Splits = dict[str, list[Entry]]

SPLITS = ("normal", "unlabeled", "test")
COLUMNS = ("path", "split", "label", "kind", "patient", "mask")
LABELS = {"": None, "0": 0, "1": 1, "0.0": 0, "1.0": 1}  # pandas writes 0.0 where some labels are missing
JSON_LISTS = (  # split, label, keys; DDAD-ASR's repartition format
    ("normal", 0, ("train", "0")),
    ("unlabeled", 0, ("train", "unlabeled", "0")),
    ("unlabeled", 1, ("train", "unlabeled", "1")),
    ("test", 0, ("test", "0")),
    ("test", 1, ("test", "1")),
)
FOLDERS = (
    ("normal", "normal", 0),
    ("unlabeled", "unlabeled", None),
    ("test", "test/normal", 0),
    ("test", "test/abnormal", 1),
)


class NotAManifest(UserError):
    """A CSV file whose first line does not name the columns that a manifest must have."""


def read_json(file: Path, root: Path) -> Splits:
    """Read a repartition in the DDAD-ASR format.

    Kinds, patients and masks come from the ``manifest.csv`` in `root`, where there is one with the
    columns path and split.

    Raises
    ------
    UserError
        If the file is not JSON, lacks one of the five lists, or a list holds no names.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8-sig"))
    except (ValueError, OSError, RecursionError) as error:
        raise UserError(f"{file}: not a JSON file that can be read ({error}): correct it") from None
    known = _read_manifest(root)
    splits: Splits = {split: [] for split in SPLITS}
    for split, label, keys in JSON_LISTS:
        ids = [posixpath.normpath(f"images/{name}") for name in _names(document, keys, file)]
        splits[split].extend(replace(known.get(i) or _entry(root, i), label=label) for i in ids)
    return splits


def _read_manifest(root: Path) -> dict[str, Entry]:
    file = root / "manifest.csv"
    try:
        splits = read_csv(file, root) if file.is_file() else {}
    except NotAManifest:  # a file of that name with another purpose
        splits = {}
    return {entry.id: entry for entries in splits.values() for entry in entries}


def _names(document: Any, keys: tuple[str, ...], file: Path) -> list[str]:
    """Follow `keys` to a list of file names."""
    for key in keys:
        if not isinstance(document, dict) or key not in document:
            raise UserError(f"{file}: the list {'/'.join(keys)} is missing: add it (it may be empty)")
        document = document[key]
    if not isinstance(document, list) or not all(isinstance(name, str) and name for name in document):
        raise UserError(f"{file}: {'/'.join(keys)} is not a list of file names: correct it")
    return document


def read_csv(file: Path, root: Path) -> Splits:
    """Read a CSV manifest: columns path, split and, optional, label, kind, patient, mask.

    Normal rows need no label, unlabeled rows may have one (it serves to draw a set with a chosen
    anomaly rate and never reaches a detector), test rows must have one. Other columns are ignored.
    Paths are relative to `root` or absolute; an id is always relative.

    Raises
    ------
    NotAManifest
        If the column path or split is missing.
    UserError
        If a split or a label is unknown; the line is named.
    """
    splits: Splits = {split: [] for split in SPLITS}
    for place, row in _rows(file):
        split, label = row["split"].strip(), LABELS.get(row["label"].strip(), -1)
        if split not in splits:
            raise UserError(f"{place}: unknown split {split!r}: write normal, unlabeled or test")
        if label == -1 or (split == "normal" and label == 1) or (split == "test" and label is None):
            problem = f"{place}: label {row['label']!r} in split {split}"
            raise UserError(f"{problem}: write 0 for normal, 1 for abnormal")
        mask = _absolute(root, row["mask"]) if row["mask"] else None
        id = Path(os.path.relpath(root / row["path"], root)).as_posix()
        entry = _entry(root, id, label, row["kind"], row["patient"], mask)
        splits[split].append(replace(entry, label=0) if split == "normal" else entry)
    return splits


def _rows(file: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield every row with all columns (empty when absent), and the place for messages."""
    try:
        with open(file, newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            reader.fieldnames = [name.strip() for name in reader.fieldnames or []]
            if not {"path", "split"} <= set(reader.fieldnames):
                raise NotAManifest(f"{file}: the first line must name the columns path and split, separated by commas")
            for row in reader:
                place = f"{file}, line {reader.line_num}"
                if None in row or not row["path"]:
                    raise UserError(f"{place}: no path, or more cells than columns: correct the line")
                yield place, {name: row.get(name) or "" for name in COLUMNS}
    except (OSError, ValueError, csv.Error) as error:
        raise UserError(f"{file}: not a UTF-8 CSV file that can be read ({error}): correct it") from None


def read_mvtec(root: Path) -> Splits:
    """Read MVTec AD's folders: ``train/good test/TYPE/NAME.* ground_truth/TYPE/NAME_mask.png``.

    The kind of an image is its TYPE; the label is 0 for ``good`` and 1 for all others. Masks are
    those of files that hold one image.

    Raises
    ------
    UserError
        If files lie in a folder that belongs to no split.
    """
    kinds = sorted({name.split("/")[0] for name in list_files(root / "test") if "/" in name})
    test = [entry for kind in kinds for entry in _mvtec_folder(root, "test", kind)]
    splits = {"normal": list(_mvtec_folder(root, "train", "good")), "unlabeled": [], "test": test}
    _refuse_strays(root, splits, "train/good/ or test/TYPE/", ("ground_truth/",))
    return {split: every_frame(entries) for split, entries in splits.items()}


def _mvtec_folder(root: Path, part: str, kind: str) -> Iterator[Entry]:
    truth = root / "ground_truth" / kind
    masks = set(list_files(truth)) if part == "test" else set()
    for name in list_files(root / part / kind):
        mask = f"{os.path.splitext(name)[0]}_mask.png"
        where = truth / mask if mask in masks else None
        yield _entry(root, f"{part}/{kind}/{name}", int(kind != "good"), kind, mask=where)


def read_folders(root: Path) -> Splits:
    """Read ``normal/ unlabeled/ test/normal/ test/abnormal/``; unlabeled images have no label.

    Raises
    ------
    UserError
        If files lie in a folder that belongs to no split.
    """
    splits: Splits = {split: [] for split in SPLITS}
    for split, folder, label in FOLDERS:
        splits[split].extend(_entry(root, f"{folder}/{name}", label) for name in list_files(root / folder))
    _refuse_strays(root, splits, ", ".join(f"{folder}/" for _, folder, _ in FOLDERS))
    return {split: every_frame(entries) for split, entries in splits.items()}


def _refuse_strays(root: Path, splits: Splits, homes: str, other: tuple[str, ...] = ()) -> None:
    """Refuse images, and anything in ``test/``, that no split holds: to drop them silently would be worse."""
    known = {entry.id for entries in splits.values() for entry in entries}
    outside = (name for name in list_files(root) if name not in known and not name.startswith(other))
    strays = [name for name in outside if name.startswith("test/") or is_image(root / name)]
    if strays:
        more = f" and {len(strays) - 1} more belong" if len(strays) > 1 else " belongs"
        raise UserError(f"{root / strays[0]}{more} to no split: move to {homes} or out of {root}")


def _absolute(root: Path, name: str) -> Path:
    return Path(os.path.normpath(root / name))


def _entry(
    root: Path, id: str, label: int | None = None, kind: str = "", patient: str = "", mask: Path | None = None
) -> Entry:
    path, frame = _absolute(root, id), None
    file, mark, number = id.rpartition("#")
    if mark and number.isdecimal() and not os.path.lexists(path):  # not a file that is named so
        path, frame = _absolute(root, file), int(number)
    return Entry(id, path, label, kind, patient, mask, frame)
