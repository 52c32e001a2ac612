"""Which images are normal, unlabeled and test: reading, checking and writing it."""

import csv
import hashlib
import io
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from medad.data.cache import digest
from medad.data.entries import Entry
from medad.data.forms import (
    COLUMNS,
    SPLITS,
    Listed,
    is_mvtec,
    read_csv,
    read_folders,
    read_json,
    read_medmnist,
    read_mvtec,
)
from medad.data.groups import columns_of
from medad.data.parallel import parallel_map
from medad.errors import OptionError, UserError
from medad.files import replacing

__all__ = ["Entry", "Repartition"]

FILE_FORMS = {".json": read_json, ".csv": read_csv, ".npz": read_medmnist}
FORMS = (
    "data.json with images/, manifest.csv, MVTec folders (train/good, test/TYPE) "
    "or the folders normal/ unlabeled/ test/normal/ test/abnormal/"
)


@dataclass(frozen=True)
class Repartition:
    """Who is in which split.

    Attributes
    ----------
    normal : tuple of Entry
        Known normal images for training, label 0.
    unlabeled : tuple of Entry
        The pool from which unlabeled training images are drawn; labels where they are known.
    test : tuple of Entry
        Test images, label 0 or 1.
    notes : tuple of str
        Lines that the user should see: what was passed over where it was read.
    """

    normal: tuple[Entry, ...]
    unlabeled: tuple[Entry, ...]
    test: tuple[Entry, ...]
    notes: tuple[str, ...] = field(default=(), compare=False, kw_only=True)

    @property
    def fingerprint(self) -> str:
        """Digest of all that is listed: names, splits, what is known about each image, contents of the files."""
        splits = {"normal": self.normal, "unlabeled": self.unlabeled, "test": self.test}
        entries = [(name, entry) for name, split in splits.items() for entry in split]
        once = cache(digest)  # also of a file that holds many images
        contents = parallel_map(lambda named: _contents(named[1], once), entries, "checking files")
        whole = hashlib.blake2b(digest_size=16)
        for (name, entry), content in zip(entries, contents, strict=True):
            facts: list[Any] = [name, entry.id, entry.label, entry.kind, entry.patient, content]
            facts += [dict(entry.groups)] if entry.groups else []
            whole.update(json.dumps(facts).encode())
        return whole.hexdigest()

    @classmethod
    def read(cls, data: str | Path, split: Path | None = None) -> "Repartition":
        """Read a repartition in one of its forms and check that it is sound.

        Parameters
        ----------
        data : str or Path
            The folder of a data set, a ``.json`` or ``.csv`` file in it, or a ``.npz`` as of MedMNIST. In a folder
            the first of data.json, manifest.csv, MVTec folders and plain folders is read.
        split : Path, optional
            A ``.json`` or ``.csv`` file that is read instead, relative to the folder or absolute.
            Names in it are relative to the folder of the data set, wherever the file stands.

        Returns
        -------
        Repartition
            Files in listed order; files found in folders sorted by name.

        Raises
        ------
        UserError
            If there is no repartition, it is malformed, names a file that does not exist, or
            names a file twice, in one split or in two.
        """
        data = Path(os.path.abspath(data))
        if not data.exists():
            raise UserError(f"{data}: no such file or folder: check the path of the data")
        root = data if data.is_dir() else data.parent
        source = _source(data, root, split)
        listed = _read_folder(root) if source == root else _read_file(source, root)
        _check_once(listed.splits, source)
        _check_exist((entry for entries in listed.splits.values() for entry in entries), source)
        return cls(*(tuple(listed.splits[name]) for name in SPLITS), notes=listed.notes)

    def write(self, file: Path, root: Path | None = None) -> None:
        """Write the repartition as a data.json or a CSV manifest, by the suffix of `file`, whole or not at all.

        Parameters
        ----------
        file : Path
            A ``.csv`` or ``.json`` file. JSON holds names and labels only, grouped by label; CSV holds everything.
        root : Path, optional
            Root of the data set, to which names are relative; by default the folder of `file`.

        Raises
        ------
        UserError
            If JSON cannot hold it: an unlabeled image without label, an image outside ``images/``.
        """
        text = _csv(self, root or file.parent) if file.suffix == ".csv" else _json(self, file)
        with replacing(file) as partial:
            partial.write_text(text, encoding="utf-8", newline="")


def _source(data: Path, root: Path, split: Path | None) -> Path:
    """Return the file to read, or `root` where the folders themselves say who is what."""
    if split is not None:
        if not (root / split).is_file():
            raise OptionError("split", f"no such file: name one in {root}, or its whole path", str(split))
        return root / split
    candidates = (root / "data.json", root / "manifest.csv") if data == root else (data,)
    return next((file for file in candidates if file.is_file()), root)


def _read_file(file: Path, root: Path) -> Listed:
    if file.suffix.lower() not in FILE_FORMS:
        raise UserError(f"{file}: not a repartition: give a .json or .csv file, a .npz as of MedMNIST, or a folder")
    return FILE_FORMS[file.suffix.lower()](file, root)


def _read_folder(root: Path) -> Listed:
    if is_mvtec(root):
        return read_mvtec(root)
    if (root / "normal").is_dir():
        return read_folders(root)
    raise UserError(f"{root}: no repartition found: it must hold {FORMS}")


def _check_once(splits: Mapping[str, Sequence[Entry]], source: Path) -> None:
    """Refuse an image that is listed twice, also under two spellings or through linked folders."""
    real = cache(os.path.realpath)  # once for each folder, which is fast for 100,000 files
    places: dict[str, list[str]] = {}
    for name in SPLITS:
        for path, frame in ((entry.path, entry.frame) for entry in splits[name]):
            place = os.path.join(real(os.path.dirname(path)), path.name)
            places.setdefault(place if frame is None else f"{place}#{frame}", []).append(name)
    twice = next((path for path, names in places.items() if len(names) > 1), None)
    if twice is not None:
        raise UserError(f"{source}: {twice} is listed in {' and in '.join(places[twice])}: list it once")


def _check_exist(entries: Iterable[Entry], source: Path) -> None:
    """Refuse files that are not there; each folder is listed once, which is fast for 100,000 files.

    A drive may know a file by other letters than it lists (Unicode's forms, case): it has the last word.
    """

    @cache
    def names(folder: str) -> frozenset[str]:
        return frozenset(os.listdir(folder)) if os.path.isdir(folder) else frozenset()

    paths = [path for entry in entries for path in (entry.path, entry.mask) if path is not None]
    unlisted = (path for path in paths if path.name not in names(os.path.dirname(path)))
    missing = [path for path in unlisted if not os.path.exists(path)]
    if missing:
        problem = f"{len(missing)} of {len(paths)} files do not exist, the first is {missing[0]}"
        raise UserError(f"{source}: {problem}: restore them or take them off the list")


def _csv(repartition: Repartition, root: Path) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream)
    known = columns_of(e.groups for split in SPLITS for e in getattr(repartition, split)) or {}
    writer.writerow((*COLUMNS, *known))
    for split in SPLITS:
        for e in getattr(repartition, split):
            mask = "" if e.mask is None else Path(os.path.relpath(e.mask, root)).as_posix()
            writer.writerow((e.id, split, e.label, e.kind, e.patient, mask, *(e.groups.get(name) for name in known)))
    return stream.getvalue()


def _json(repartition: Repartition, file: Path) -> str:
    everyone = repartition.normal + repartition.unlabeled + repartition.test
    if any(entry.label is None or not entry.id.startswith("images/") for entry in everyone):
        raise UserError(f"{file}: JSON holds labelled images in images/ only: write a .csv file instead")

    def names(entries: Iterable[Entry], label: int) -> list[str]:
        return [entry.id.removeprefix("images/") for entry in entries if entry.label == label]

    pool, test = repartition.unlabeled, repartition.test
    unlabeled = {"0": names(pool, 0), "1": names(pool, 1)}
    document = {
        "train": {"0": names(repartition.normal, 0), "unlabeled": unlabeled},
        "test": {"0": names(test, 0), "1": names(test, 1)},
    }
    return json.dumps(document, indent=1)


def _contents(entry: Entry, digest: Callable[[Path], str]) -> list[str]:
    return [digest(file) for file in (entry.path, entry.mask) if file is not None]
