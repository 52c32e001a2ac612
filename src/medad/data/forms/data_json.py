"""The repartition files of DDAD-ASR."""

import json
import posixpath
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from medad.data.entries import Entry
from medad.data.forms.listed import SPLITS, Listed, make_entry
from medad.data.forms.manifest import NotAManifest, read_csv
from medad.errors import UserError

MANIFEST = "manifest.csv"
LISTS = (  # split, label, keys
    ("normal", 0, ("train", "0")),
    ("unlabeled", 0, ("train", "unlabeled", "0")),
    ("unlabeled", 1, ("train", "unlabeled", "1")),
    ("test", 0, ("test", "0")),
    ("test", 1, ("test", "1")),
)


def read_json(file: Path, root: Path) -> Listed:
    """Read a repartition in the DDAD-ASR format.

    Kinds, patients and masks come from the ``manifest.csv`` in `root`, where there is one with the
    columns path and split; that it is something else, or knows nothing of some images, is noted.

    Raises
    ------
    UserError
        If the file is not JSON, lacks one of the five lists, or a list holds no names.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8-sig"))
    except (ValueError, OSError, RecursionError) as error:
        raise UserError(f"{file}: not a JSON file that can be read ({error}): correct it") from None
    known, notes = _read_manifest(root)
    splits: dict[str, list[Entry]] = {split: [] for split in SPLITS}
    for split, label, keys in LISTS:
        ids = [posixpath.normpath(f"images/{name}") for name in _names(document, keys, file)]
        splits[split].extend(replace(known.get(i) or make_entry(root, i), label=label) for i in ids)
    everyone = [entry.id for entries in splits.values() for entry in entries]
    return Listed(splits, notes or tuple(_unknown(everyone, known)))


def _read_manifest(root: Path) -> tuple[dict[str, Entry], tuple[str, ...]]:
    file = root / MANIFEST
    try:
        listed = read_csv(file, root) if file.is_file() else Listed({})
    except NotAManifest as error:  # a file of that name with another purpose, or one that is spelt wrong
        return {}, (f"{error}; kinds, patients and masks are not taken from it",)
    return {entry.id: entry for entries in listed.splits.values() for entry in entries}, ()


def _unknown(ids: Sequence[str], known: dict[str, Entry]) -> list[str]:
    lacking = [id for id in ids if id not in known] if known else []
    few = f"{MANIFEST} does not list {len(lacking)} of the {len(ids)} images of the split file"
    return [f"{few} (first: {lacking[0]}), so that their kinds, patients and masks are not known"] if lacking else []


def _names(document: Any, keys: tuple[str, ...], file: Path) -> list[str]:
    """Follow `keys` to a list of file names."""
    for key in keys:
        if not isinstance(document, dict) or key not in document:
            raise UserError(f"{file}: the list {'/'.join(keys)} is missing: add it (it may be empty)")
        document = document[key]
    if not isinstance(document, list) or not all(isinstance(name, str) and name for name in document):
        raise UserError(f"{file}: {'/'.join(keys)} is not a list of file names: correct it")
    return document
