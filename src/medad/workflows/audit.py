"""``medad audit``: what is wrong with a data set, before anything is trained on it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from medad.data.audit.files import FAINT, TINY, faults, same_bytes
from medad.data.audit.groups import dependence, groups_of
from medad.data.audit.lists import COMPARISONS, LISTS, TEST, TRAINING, Listed
from medad.data.audit.looking import Looks, look_at
from medad.data.audit.near import Near, near_duplicates
from medad.data.audit.patients import across, from_names, parted, read_pattern, suggested
from medad.data.intensity import DEFAULT, Intensity
from medad.data.repartition import Repartition
from medad.errors import OptionError, UserError
from medad.files import replacing
from medad.ownership import claimed
from medad.reports.audit import write_page
from medad.reports.audit_words import findings
from medad.version import __version__
from medad.workflows.notes import say
from medad.workflows.options import RUNS
from medad.workflows.shortcuts import shortcuts
from medad.workflows.splits import data_name

PAGE, RECORD = "audit.html", "audit.json"
NAMED = 1000  # images and pairs of each kind that the record names; all are counted


@dataclass(frozen=True)
class Seen:
    """What was found in the images of a repartition, before it is put into figures."""

    listed: Listed
    looks: Looks
    near: Near
    copies: list[list[int]]
    patients: list[str]

    def near_to(self, names: Sequence[str]) -> np.ndarray:
        """Return (N,) ``bool``: which images have a near-duplicate in one of the lists `names`."""
        return np.any(self.near.beside[:, [LISTS.index(name) for name in names]], axis=1)

    @property
    def kept(self) -> np.ndarray:
        """(N,) ``bool``: all but test images that repeat a training image or an earlier one of their list."""
        again = self.near_to(TRAINING) | self.near.repeats
        training = self.listed.among(TRAINING)
        for group in self.copies:
            for earlier, later in ((a, b) for b in group for a in group if a < b):
                again[later] |= bool(training[earlier]) or self.listed.lists[earlier] == self.listed.lists[later]
        return ~(again & self.listed.among(TEST))


def audit(
    data: Path,
    *,
    split: Path | None = None,
    out: Path | None = None,
    write_deduplicated: Path | None = None,
    patient_pattern: str | None = None,
    intensity: str = DEFAULT,
    jobs: int | None = None,
) -> dict[str, Any]:
    """Look at every image of a data set and write ``audit.html`` and ``audit.json``.

    Parameters
    ----------
    data : Path
        Folder of the data set, or its split file.
    split : Path, optional
        Split file to use instead of the folder's own.
    out : Path, optional
        Folder of the two files; ``runs/DATA-audit`` by default.
    write_deduplicated : Path, optional
        A ``.json`` or ``.csv`` file to write: the same repartition without test images that have a near-duplicate in
        the training lists, or earlier in their own list. Training lists are kept.
    patient_pattern : str, optional
        Regular expression for names of images, folders left out, whose first group is the patient; it is used where
        neither the list nor the file names one.
    intensity : str
        Which value becomes black and which white, see :class:`medad.data.intensity.Intensity`.
    jobs : int, optional
        Number of threads; all cores by default.

    Returns
    -------
    dict
        What ``audit.json`` holds.

    Raises
    ------
    UserError
        If the data or an option do not allow it; images that cannot be read are found, and no error.
    """
    rule = Intensity.parse(intensity)
    pattern = read_pattern(patient_pattern) if patient_pattern is not None else None
    if write_deduplicated is not None:
        _check_new(write_deduplicated)
    out = out or RUNS / f"{data_name(data)}-audit"
    with claimed(out, "audit", (PAGE, RECORD)):
        who = Repartition.read(data, split)
        listed = Listed.of(who)
        if not listed.entries:
            raise UserError(f"{split or data}: lists no images: add some")
        with TemporaryDirectory(dir=out, prefix=".audit-") as work:
            looks = look_at(listed.entries, Path(work) / "small", rule, jobs)
            named = from_names(listed.ids, pattern) if pattern else [""] * len(listed.entries)
            known = [entry.patient or _said(looks, i, "patient") for i, entry in enumerate(listed.entries)]
            patients = [one or name for one, name in zip(known, named, strict=True)]
            copies = same_bytes([entry.path for entry in listed.entries], jobs)
            near = near_duplicates(looks.pixels, listed.lists, jobs)
            seen = Seen(listed, looks, near, copies, patients)
            if write_deduplicated is not None:
                _write_deduplicated(write_deduplicated, data, who, seen)
            record = _record(data_name(data), seen)
            _write(out, record, seen)
    return record


def _check_new(file: Path) -> None:
    if file.suffix not in (".json", ".csv"):
        raise OptionError("write_deduplicated", "give a .json or .csv file", str(file))
    if file.exists():
        raise OptionError("write_deduplicated", "is there already: give another name", str(file))
    if not file.absolute().parent.is_dir():
        raise OptionError("write_deduplicated", "its folder does not exist: make it first", str(file))


def _write_deduplicated(file: Path, data: Path, who: Repartition, seen: Seen) -> None:
    """Write the test images that are kept, in their order, beside all training images."""
    kept = {id for id, stays in zip(seen.listed.ids, seen.kept, strict=True) if stays}
    test = tuple(entry for entry in who.test if entry.id in kept)
    root = data if data.is_dir() else data.parent
    Repartition(who.normal, who.unlabeled, test).write(file, root.absolute())
    say(f"{file}: {len(test)} of {len(who.test)} test images are kept")


def _write(out: Path, record: dict[str, Any], seen: Seen) -> None:
    with replacing(out / RECORD) as partial:
        partial.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8", errors="backslashreplace")
    write_page(out / PAGE, record, seen.looks.pixels, seen.listed.ids)
    for finding in record["findings"]:
        if finding["matters"]:
            say(finding["text"])
    say(f"{out / PAGE}: open it in a browser")


def _record(name: str, seen: Seen) -> dict[str, Any]:
    """Put everything into figures and names of images."""
    listed, ids = seen.listed, seen.listed.ids
    record: dict[str, Any] = {"medad": __version__, "data": name, "images": listed.counts()}
    wrong = faults(seen.looks)
    record["files"] = {kind: _some(wrong[kind], ids) for kind in wrong}
    record["files"]["reasons"] = {ids[i]: reason for i, reason in list(seen.looks.failures.items())[:NAMED]}
    record["files"]["bounds"] = {"tiny": TINY, "faint": FAINT / 257}
    record["same_bytes"] = _copies(seen)
    record["near"] = _near(seen)
    record["patients"] = _patients(seen)
    record["groups"] = _groups(seen)
    record["shortcuts"] = shortcuts(listed, seen.looks, seen.patients, seen.kept)
    record["findings"] = findings(record)
    return record


def _some(positions: Sequence[int], ids: Sequence[str]) -> dict[str, Any]:
    return {"count": len(positions), "images": [ids[i] for i in positions[:NAMED]]}


def _copies(seen: Seen) -> dict[str, Any]:
    splits, ids = seen.listed.splits, seen.listed.ids
    apart = [group for group in seen.copies if len({splits[i] for i in group}) > 1]
    images = sum(len(group) for group in seen.copies)
    named = [[ids[i] for i in group] for group in (*apart, *(g for g in seen.copies if g not in apart))]
    return {"groups": len(seen.copies), "images": images, "in_two_splits": len(apart), "named": named[:NAMED]}


def _near(seen: Seen) -> dict[str, Any]:
    """Count for every list how many of its images have a near-duplicate in every other and in its own."""
    lists, near, ids = seen.listed.lists, seen.near, seen.listed.ids
    there = [name for name in LISTS if name in seen.listed.counts()]
    beside = {a: {b: int(near.beside[seen.listed.among([a]), LISTS.index(b)].sum()) for b in there} for a in there}
    training, normal = seen.near_to(TRAINING), seen.near_to(("normal", "unlabeled normal"))
    shown = sorted(near.pairs, key=lambda pair: (_kind(lists[pair[0]], lists[pair[1]]), ids[pair[0]], ids[pair[1]]))
    return {
        "pairs": near.count,
        "beside": beside,
        "test_in_training": {a: int(training[seen.listed.among([a])].sum()) for a in TEST if a in there},
        "test_in_normals": {a: int(normal[seen.listed.among([a])].sum()) for a in TEST if a in there},
        "kept": {a: int(seen.kept[seen.listed.among([a])].sum()) for a in TEST if a in there},
        "named": [
            [ids[a], ids[b], LISTS[lists[a]], LISTS[lists[b]], round(distance, 2)] for a, b, distance in shown[:NAMED]
        ],
    }


def _kind(first: int, second: int) -> int:
    """Return in which order pairs are told: training and test, then two lists, then one."""
    leaks = LISTS[first] in TRAINING and LISTS[second] in TEST
    return 0 if leaks else 1 if first != second else 2


def _patients(seen: Seen) -> dict[str, Any]:
    listed, ids, patients = seen.listed, seen.listed.ids, seen.patients
    record: dict[str, Any] = {
        "known": sum(map(bool, patients)),
        "patients": len(set(filter(None, patients))),
        "in_two_splits": _named(across(patients, listed.splits), ids),
    }
    for kind in ("study", "series", "file"):
        keys = [str(e.path) if kind == "file" else _said(seen.looks, i, kind) for i, e in enumerate(listed.entries)]
        record[f"{kind}_in_two_splits"] = _named(across(keys, listed.splits), ids)
    for kind in ("laterality", "view"):
        sides = [_said(seen.looks, i, kind) for i in range(len(ids))]
        record[f"{kind}_parted"] = parted(patients, sides, listed.splits)
    keys = [] if any(patients) else suggested(ids)
    if keys:
        shared = _named(across(keys, listed.splits), ids)
        record["suggested"] = {"groups": len(set(filter(None, keys))), "in_two_splits": shared}
    return record


def _said(looks: Looks, index: int, name: str) -> str:
    """Return what a file's header says; empty where it could not be read."""
    look = looks.looks[index]
    return "" if look is None else getattr(look.header, name)


def _named(found: list[dict[str, Any]], ids: Sequence[str]) -> list[dict[str, Any]]:
    return [one | {"images": _some(one["images"], ids)} for one in found]


def _groups(seen: Seen) -> dict[str, Any]:
    """Count images by how they were made, and hold the sets of each comparison against each other."""
    record = {}
    for factor, values in groups_of(seen.looks.looks).items():
        found = {}
        for one in COMPARISONS:
            told = dependence(values, seen.listed.among(one.first), seen.listed.among(one.second))
            if told:
                found[one.name] = {"counts": told.counts, "v": round(told.v, 3), "p": float(f"{told.p:.2g}")}
        record[factor] = {"levels": len(set(values)), "comparisons": found}
    return record
