"""From a data set on disk to the images that a detector learns from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from medad.data.draw import draw_unlabeled
from medad.data.imageset import ImageSet
from medad.data.loading import Loaded, load_or_fail
from medad.data.preprocessing import Preprocessing
from medad.data.repartition import Entry, Repartition
from medad.errors import UserError
from medad.workflows.leaks import check_leaks
from medad.workflows.notes import say
from medad.workflows.options import TrainOptions


@dataclass(frozen=True)
class Splits:
    """The training images of a run, ``unlabeled`` None where there are none, and the list of its test images.

    ``intensities`` tells of the normal and of the unlabeled images what the intensity rule did to how many.
    """

    normal: ImageSet
    unlabeled: ImageSet | None
    test: tuple[Entry, ...]
    intensities: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def describe(self) -> dict[str, Any]:
        """Return counts, and fingerprints of the training images, as they stand in ``run.yaml``."""
        sets = {"normal": self.normal, "unlabeled": self.unlabeled}
        described = {
            name: count(images.labels, len(images)) | {"fingerprint": images.fingerprint}
            for name, images in sets.items()
            if images is not None
        }
        return described | ({"test": count([e.label for e in self.test], len(self.test))} if self.test else {})


def learned_from(described: Mapping[str, Any], run: Mapping[str, Any]) -> bool:
    """Return whether the images that :meth:`Splits.describe` told are those of the section ``data`` of a run."""
    names = ("normal", "unlabeled")
    asked, there = ([images.get(name) or {} for name in names] for images in (described, run))
    # A finished run tells more about them, such as how many were held out.
    return all(bool(a) == bool(b) and a.items() <= b.items() for a, b in zip(asked, there, strict=True))


def read_splits(data: Path, split: Path | None, options: TrainOptions) -> Splits:
    """Read the training images that `data` lists, the unlabeled ones drawn as `options` say.

    Test images are listed only; masks and kinds of training images are of no use, and are not looked at.

    Raises
    ------
    UserError
        If the repartition or a training image cannot be read, there are no normal images, or leaks are refused.
    """
    who = read_repartition(data, split)
    unlabeled = draw_unlabeled(who.unlabeled, options.unlabeled_size, options.anomaly_rate)
    _say_counts(who, unlabeled)
    if not who.normal:
        raise UserError(f"{split or data}: no normal images to learn from; list some in the split normal")
    return load_training(replace(who, unlabeled=unlabeled), options)


def load_training(who: Repartition, options: TrainOptions) -> Splits:
    """Read the training images that `who` lists, of which some are normal; masks and kinds are not looked at.

    Raises
    ------
    UserError
        If an image cannot be read, or leaks are refused.
    """
    given = {"normal": _bare(who.normal), "unlabeled": _bare(who.unlabeled)}
    loaded = {
        name: _load(entries, options.preprocessing, f"{name} images", options.jobs)
        for name, entries in given.items()
        if entries
    }
    unlabeled = loaded["unlabeled"].images if who.unlabeled else None
    check_leaks(loaded["normal"].images, unlabeled, who.test, options.leaks, options.jobs)
    return Splits(loaded["normal"].images, unlabeled, who.test, {name: one.intensities for name, one in loaded.items()})


def read_blind(data: Path, split: Path | None) -> Repartition:
    """Read who is normal and who unlabeled: all of the pool, without a label; test images are left out.

    Raises
    ------
    UserError
        If it cannot be read, or there are no normal or no unlabeled images.
    """
    who = read_repartition(data, split)
    for name, entries in (("normal", who.normal), ("unlabeled", who.unlabeled)):
        if not entries:
            raise UserError(f"{split or data}: no {name} images; list some in the split {name}")
    say(f"normal: {len(who.normal)} images; unlabeled: {len(who.unlabeled)} images")
    known = sum(entry.label is not None for entry in who.unlabeled)
    if known:
        say(f"labels of {known} unlabeled images are ignored: all are taken, whatever their share of abnormal ones")
    if who.test:
        say(f"{len(who.test)} test images are not read")
    return replace(who, unlabeled=tuple(replace(entry, label=None) for entry in who.unlabeled), test=())


def read_repartition(data: Path, split: Path | None) -> Repartition:
    """Read who is in which split, and pass on what was noticed.

    Raises
    ------
    UserError
        If it cannot be read.
    """
    who = Repartition.read(data, split)
    for note in who.notes:
        say(note)
    return who


def _bare(entries: Sequence[Entry]) -> list[Entry]:
    return [replace(entry, mask=None, kind="") for entry in entries]


def load(entries: Sequence[Entry], preprocessing: Preprocessing, what: str, jobs: int | None) -> ImageSet:
    """Decode the images of `entries` and pass on what was noticed.

    Raises
    ------
    UserError
        If any cannot be read.
    """
    return _load(entries, preprocessing, what, jobs).images


def _load(entries: Sequence[Entry], preprocessing: Preprocessing, what: str, jobs: int | None) -> Loaded:
    loaded = load_or_fail(entries, preprocessing, what, jobs)
    for note in loaded.notes:
        say(f"{what}: {note}")
    return loaded


def data_name(data: Path) -> str:
    """Return the name of the data set that lies at `data`: its folder's, also when a split file is given."""
    folder = data.resolve()
    if folder.suffix.lower() == ".npz":  # a whole data set in one file
        return folder.stem
    return (folder.parent if folder.is_file() else folder).name


def count(labels: Sequence[int | None] | np.ndarray | None, images: int) -> dict[str, int]:
    """Return the number of images, by label where labels are known."""
    if labels is None:
        return {"images": images}
    abnormal = int((np.asarray(labels) == 1).sum())
    return {"images": images, "normal": images - abnormal, "abnormal": abnormal}


def _say_counts(who: Repartition, unlabeled: Sequence[Entry]) -> None:
    abnormal = sum(entry.label == 1 for entry in unlabeled)
    say(f"normal: {len(who.normal)} images")
    if any(entry.label is None for entry in unlabeled):
        say(f"unlabeled: M = {len(unlabeled)} images, anomaly rate not known")
    elif unlabeled:
        rate = abnormal / len(unlabeled)
        say(
            f"unlabeled: M = {len(unlabeled)} images of {len(who.unlabeled)}, anomaly rate {rate:.3g}: "
            f"{len(unlabeled) - abnormal} normal + {abnormal} abnormal"
        )
    else:
        say("unlabeled: none")
    say(f"test: {len(who.test)} images")
