"""``medad slices``: from NIfTI volumes to pictures of chosen slices, with a manifest that tells whose they are."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from medad.data.entries import Entry, list_files
from medad.data.intensity import DEFAULT, Intensity
from medad.data.parallel import parallel_map
from medad.data.readers import UnreadableImage, find_reader
from medad.data.readers.geometry import AXES, Axis
from medad.data.readers.nifti import NiftiReader
from medad.data.repartition import Repartition
from medad.data.slicing import foreground, geometry_of, read_segmentation, read_slice, write_picture
from medad.errors import OptionError, UserError
from medad.ownership import claimed
from medad.workflows.notes import say
from medad.workflows.options import at_least

IMAGES, MASKS, LIST, VOLUMES = "images/", "masks/", "manifest.csv", "volumes.json"
SUFFIXES = (".nii.gz", ".nii")


@dataclass(frozen=True)
class Slicing:
    """Which slices are wanted, and how they are shown.

    Parameters
    ----------
    axis : {'sagittal', 'coronal', 'axial'}, optional
        Which slices; by default those along the largest spacing of each volume.
    every : int
        Each n-th one, the first in the middle of the first n.
    foreground : float
        Share of a slice, 0 to 1, that must be brighter than 5 % of white; darker slices are left out.
    intensity : str
        See :class:`medad.data.intensity.Intensity`.
    """

    axis: Axis | None = None
    every: int = 1
    foreground: float = 0.0
    intensity: str = DEFAULT

    def __post_init__(self) -> None:
        at_least("every", self.every, 1)
        if not 0 <= self.foreground <= 1:
            raise OptionError("foreground", "give a share between 0 and 1", self.foreground)
        Intensity.parse(self.intensity)


@dataclass(frozen=True)
class _Job:
    """A slice that is wanted: of which volume, which one, and what is known of its volume."""

    name: str
    number: int
    known: Entry
    split: str


def cut_slices(source: Path, out: Path, how: Slicing, masks: Path | None = None) -> int:
    """Write the slices of all volumes in a folder as PNG files.

    Parameters
    ----------
    source : Path
        A volume, or a folder of them. If it is a data set in one of medad's forms the slices stay in the split of
        their volume; otherwise they are unlabeled.
    out : Path
        Folder to make: ``images/``, ``manifest.csv``, ``volumes.json`` with affines, and ``masks/``.
    how : Slicing
        Which slices.
    masks : Path, optional
        Folder of segmentations that are named as the volumes are; a slice is abnormal where its own has any voxel.
        Only volumes that are known to be abnormal must have one.

    Returns
    -------
    int
        How many slices could not be read; each volume's reason is said once.

    Raises
    ------
    UserError
        If there are no volumes, `out` is not empty, or an abnormal volume lacks its segmentation.
    """
    if out.exists() and any(out.iterdir()):
        raise UserError(f"{out}: not empty; choose another `out`")
    volumes = _volumes(source)
    jobs = list(_jobs(volumes, source, how))
    if masks is not None:
        _check_masks({job.known.id: job.known.label for job in jobs}, masks)
    with claimed(out, "slices", (IMAGES, MASKS, LIST, VOLUMES)):
        written = parallel_map(lambda job: _cut(job, how, _mask(masks, job), out), jobs, "cutting slices")
        results = list(zip(jobs, written, strict=True))
        _write_lists(results, out, how)
    failures = {result.path: result.reason for _, result in results if isinstance(result, UnreadableImage)}
    for path, reason in failures.items():
        say(f"{path}: {reason}")
    kept = sum(isinstance(result, Entry) for _, result in results)
    say(f"{kept} slices of {len(volumes)} volumes: {out / LIST}; {sum(r is None for _, r in results)} left out as dark")
    return sum(isinstance(result, UnreadableImage) for _, result in results)


def _volumes(source: Path) -> dict[str, Path]:
    """Return the volumes by their names relative to the source; a file is its own."""
    if not source.exists():
        raise UserError(f"{source}: no such file or folder: give volumes")
    files = {source.name: source} if source.is_file() else {name: source / name for name in list_files(source)}
    found = {name: path for name, path in files.items() if _is_volume(path)}
    if not found:
        raise UserError(f"{source}: no NIfTI volumes here: give a .nii or .nii.gz file, or a folder of them")
    if len(found) < len(files):
        say(f"{len(files) - len(found)} files that are no NIfTI volume are passed over")
    if len({_bare(name) for name in found}) < len(found):
        raise UserError(f"{source}: two volumes have the same name but for .nii and .nii.gz: remove one of each")
    return found


def _is_volume(path: Path) -> bool:
    try:
        return isinstance(find_reader(path), NiftiReader)
    except OSError:  # a link that leads nowhere, or a file that may not be opened
        return False


def _bare(name: str) -> str:
    return next((name.removesuffix(suffix) for suffix in SUFFIXES if name.endswith(suffix)), name)


def _check_masks(labels: Mapping[str, int | None], masks: Path) -> None:
    """Refuse abnormal volumes without a segmentation, and a folder without any; say how many others lack one."""
    missing = [name for name in labels if not (masks / name).is_file()]
    if not missing:
        return
    needed = [name for name in missing if labels[name] == 1] or (missing if len(missing) == len(labels) else [])
    if needed:
        what = f"no segmentation there is named as these {len(needed)} volumes are, such as {needed[0]}"
        raise OptionError("masks", what, str(masks))
    say(f"{len(missing)} of {len(labels)} volumes have no segmentation, such as {missing[0]}: their labels stay")


def _mask(masks: Path | None, job: _Job) -> Path | None:
    mask = None if masks is None else masks / job.known.id
    return mask if mask is not None and mask.is_file() else None


def _jobs(volumes: Mapping[str, Path], source: Path, how: Slicing) -> Iterator[_Job]:
    known = _known(source)
    for name, path in volumes.items():
        split, entry = known.get(path.resolve(), ("unlabeled", Entry(name, path)))
        entry = replace(entry, id=name, path=path, patient=entry.patient or _bare(name), frame=None)
        try:
            count = geometry_of(path, how.axis).slices
        except UnreadableImage:
            count = 1  # cutting it will say why
        for number in range((how.every - 1) // 2 + 1, count + 1, how.every):
            yield _Job(f"{_bare(name)}_{number:03}.png", number, entry, split)


def _known(source: Path) -> dict[Path, tuple[str, Entry]]:
    """Return split and entry of each volume where the source is a data set."""
    forms = ("manifest.csv", "data.json", "normal", "train/good")
    if not source.is_dir() or not any((source / form).exists() for form in forms):
        return {}
    who = Repartition.read(source)
    splits = {"normal": who.normal, "unlabeled": who.unlabeled, "test": who.test}
    return {entry.path.resolve(): (split, entry) for split, entries in splits.items() for entry in entries}


def _cut(job: _Job, how: Slicing, mask: Path | None, out: Path) -> Entry | UnreadableImage | None:
    """Write a slice and its mask; return what the manifest says of it, None if it is too dark."""
    path, root = job.known.path, out.resolve()
    try:
        levels = read_slice(path, job.number, how.axis, Intensity.parse(how.intensity))
        inside = None if mask is None else read_segmentation(mask, job.number, how.axis, path)
    except UnreadableImage as error:
        return error
    if foreground(levels) < how.foreground:
        return None
    write_picture(levels, out / IMAGES / job.name)
    entry = replace(job.known, id=f"{IMAGES}{job.name}", path=root / IMAGES / job.name, mask=None)
    if inside is None or job.split == "normal":
        return entry
    if inside.any():
        write_picture(inside.astype(np.uint8) * np.uint8(255), out / MASKS / job.name)
        return replace(entry, label=1, mask=root / MASKS / job.name)
    return replace(entry, label=0, kind="")


def _write_lists(results: Sequence[tuple[_Job, Any]], out: Path, how: Slicing) -> None:
    """Write who is in which split, and how the slices of each volume lie in the patient."""
    kept = [(job, entry) for job, entry in results if isinstance(entry, Entry)]
    parts = (tuple(entry for job, entry in kept if job.split == split) for split in ("normal", "unlabeled", "test"))
    Repartition(*parts).write(out / LIST)
    volumes: dict[str, dict[str, Any]] = {}
    for job, entry in kept:
        geometry = geometry_of(job.known.path, how.axis)
        volume = volumes.setdefault(job.known.id, {"shape": geometry.shape, "affine": geometry.affine.tolist()})
        volume["axis"] = AXES[geometry.axis]
        volume.setdefault("slices", {})[job.number] = entry.id
    (out / VOLUMES).write_text(json.dumps(volumes, indent=1), encoding="utf-8")
