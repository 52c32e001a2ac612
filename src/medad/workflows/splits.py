"""From a data set on disk to the images that a detector learns from and is tested on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medad.data.draw import draw_unlabeled
from medad.data.imageset import ImageSet
from medad.data.loading import load_or_fail
from medad.data.preprocessing import Preprocessing
from medad.data.repartition import Entry, Repartition
from medad.errors import UserError
from medad.workflows.notes import say
from medad.workflows.options import TrainOptions


@dataclass(frozen=True)
class Splits:
    """The images of a run; ``unlabeled`` and ``test`` are None where there are none."""

    normal: ImageSet
    unlabeled: ImageSet | None
    test: ImageSet | None

    def describe(self) -> dict[str, Any]:
        """Return counts and fingerprints, as they stand in ``run.yaml``."""
        sets = {"normal": self.normal, "unlabeled": self.unlabeled, "test": self.test}
        return {
            name: {**count(images), "fingerprint": images.fingerprint}
            for name, images in sets.items()
            if images is not None
        }


def read_splits(data: Path, split: Path | None, options: TrainOptions) -> Splits:
    """Read all images that `data` lists, the unlabeled ones drawn as `options` say.

    Raises
    ------
    UserError
        If the repartition or an image cannot be read, or there are no normal images.
    """
    who = Repartition.read(data, split)
    unlabeled = draw_unlabeled(who.unlabeled, options.unlabeled_size, options.anomaly_rate)
    _say_counts(who, unlabeled)
    if not who.normal:
        raise UserError(f"{split or data}: no normal images to learn from; list some in the split normal")
    preprocessing = Preprocessing(options.size, options.channels)
    normal, drawn, test = (
        load(entries, preprocessing, f"{what} images", options.jobs) if entries else None
        for entries, what in ((who.normal, "normal"), (unlabeled, "unlabeled"), (who.test, "test"))
    )
    assert normal is not None
    return Splits(normal, drawn, test)


def load(entries: Sequence[Entry], preprocessing: Preprocessing, what: str, jobs: int | None) -> ImageSet:
    """Decode the images of `entries` and pass on what was noticed.

    Raises
    ------
    UserError
        If any cannot be read.
    """
    loaded = load_or_fail(entries, preprocessing, what, jobs)
    for note in loaded.notes:
        say(f"{what}: {note}")
    return loaded.images


def data_name(data: Path) -> str:
    """Return the name of the data set that lies at `data`: its folder's, also when a split file is given."""
    folder = data.resolve()
    return (folder.parent if folder.is_file() else folder).name


def count(images: ImageSet) -> dict[str, int]:
    """Return the number of images, by label where labels are known."""
    if images.labels is None:
        return {"images": len(images)}
    abnormal = int((images.labels == 1).sum())
    return {"images": len(images), "normal": len(images) - abnormal, "abnormal": abnormal}


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
