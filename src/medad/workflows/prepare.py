"""``medad prepare``: from a data set as it is published to ``images/`` with a repartition. Nothing is downloaded."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from medad.data.entries import Entry
from medad.data.forms import read_json
from medad.data.parallel import parallel_map
from medad.data.publications import NORMAL, TEST, UNLABELED, Found, Publication, publication
from medad.data.publications.found import IMAGES, MASKS
from medad.data.repartition import Repartition
from medad.errors import UserError
from medad.ownership import claimed
from medad.workflows.notes import say

Places = dict[str, list[Found]]

LISTS = ("data.json", "manifest.csv")


def prepare(name: str, source: Path, out: Path, split: Path | None = None, seed: int = 0) -> Path:
    """Write the images of the benchmark `name` to ``out/images``, their masks beside, and who is in which split.

    Parameters
    ----------
    name : str
        See :mod:`medad.data.publications`.
    source : Path
        Folder of the data set as published.
    out : Path
        Folder to make; ``data.json`` holds the repartition, ``manifest.csv`` the same with the kinds.
    split : Path, optional
        The published ``data.json``; without it the images are dealt out with `seed` to splits of the published
        sizes. Data sets whose publishers fixed the split need neither.
    seed : int
        Seed of the split.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    UserError
        If the data set is not known, files are missing (which is said), `out` is not empty, or there is a `split`
        beside the publishers'.
    """
    known = publication(name, source)
    if out.exists() and any(out.iterdir()):
        raise UserError(f"{out}: not empty; choose another `out`")
    if split and known.fixed:
        raise UserError(f"`split` {split}: the publishers of {name} fixed its split; leave it out")
    if not source.is_dir():
        raise UserError(f"{source}: no such folder; `source` is the data set as published")
    found = list(known.find(source))
    _check_names(found)
    places = _fixed(found) if known.fixed else _published(found, split) if split else _dealt(found, known, seed)
    _check_counts(places, known, source)
    repartition = Repartition(*(_entries(places.get(part, []), out) for part in (NORMAL, UNLABELED, TEST)))
    with claimed(out, "prepare", (f"{IMAGES}/", f"{MASKS}/", *LISTS)):
        _save([image for images in places.values() for image in images], known, out)
        for name in LISTS:
            repartition.write(out / name)
    say(f"images: {known.source}")
    say(f"split: {known.layout}{'' if split or known.fixed else f', of these sizes only, drawn with seed {seed}'}")
    return out


def _check_names(found: Sequence[Found]) -> None:
    """Refuse two images of one name, and images that are listed but not there."""
    twice = [name for name, times in Counter(image.file for image in found).items() if times > 1]
    if twice:
        both = [str(image.path) for image in found if image.file == twice[0]]
        raise UserError(f"{len(twice)} names occur twice, e.g. {both[0]} and {both[1]}: remove one of each")
    for what in ("path", "mask"):
        files = [getattr(image, what) for image in found if getattr(image, what) is not None]
        missing = [file for file in files if not file.is_file()]
        if missing:
            names = "images" if what == "path" else "masks"
            raise UserError(f"{len(missing)} of {len(files)} {names} are missing, the first is {missing[0]}")


def _fixed(found: Sequence[Found]) -> Places:
    return {part: [image for image in found if image.split == part] for part in (NORMAL, UNLABELED, TEST)}


def _published(found: Sequence[Found], file: Path) -> Places:
    """Look up the names of the published ``data.json``; its labels must be those of the folders."""
    by_name = {image.file: image for image in found}
    splits = read_json(file, file.parent).splits
    missing = [entry.path.name for entries in splits.values() for entry in entries if entry.path.name not in by_name]
    if missing:
        raise UserError(f"{file}: {len(missing)} of its images are not in the source, the first is {missing[0]}")
    for entry in (entry for entries in splits.values() for entry in entries):
        if bool(by_name[entry.path.name].kind) != bool(entry.label):
            raise UserError(f"{file}: {entry.path.name} has another label than its folder in the source")
    return {part: [by_name[entry.path.name] for entry in entries] for part, entries in splits.items()}


def _dealt(found: Sequence[Found], known: Publication, seed: int) -> Places:
    """Deal the images of each kind out to the splits, in random order, as many to each as published."""
    rng = np.random.default_rng(seed)
    places: Places = {part: [] for part in known.counts}
    for kind in sorted({kind for counts in known.counts.values() for kind in counts}):
        images = [image for image in found if image.kind == kind]
        order = iter(rng.permutation(len(images)).tolist())
        for part, counts in known.counts.items():
            places[part] += [images[i] for i in sorted(islice(order, counts.get(kind, 0)))]
    return places


def _check_counts(places: Mapping[str, Sequence[Found]], known: Publication, source: Path) -> None:
    """Say how many images each split has; refuse fewer than published."""
    lacking = []
    for part, counts in known.counts.items():
        have = Counter(image.kind for image in places.get(part, ()))
        say(f"{part}: " + ", ".join(f"{have[kind]} {kind or 'normal'}" for kind in counts or sorted(have)))
        lacking += [f"{part}, {k or 'normal'}: {have[k]} of {n}" for k, n in counts.items() if have[k] < n]
        more = [f"{have[kind]} {kind or 'normal'} instead of {n}" for kind, n in counts.items() if have[kind] > n]
        if more:
            say(f"{part}: more than published: {', '.join(more)}")
    if lacking:
        raise UserError(f"`source` {source}: images are missing ({'; '.join(lacking)}); it must hold: {known.source}")


def _save(images: Sequence[Found], known: Publication, out: Path) -> None:
    (out / IMAGES).mkdir(parents=True)
    if any(image.mask is not None for image in images):
        (out / MASKS).mkdir()
    for _ in parallel_map(lambda image: known.save(image, out), images, "writing images"):
        pass


def _entries(images: Sequence[Found], out: Path) -> tuple[Entry, ...]:
    root = out.resolve()
    return tuple(
        Entry(
            f"{IMAGES}/{image.file}",
            root / IMAGES / image.file,
            int(bool(image.kind)),
            image.findings or image.kind,
            image.patient,
            None if image.mask is None else root / MASKS / image.file,
        )
        for image in images
    )
