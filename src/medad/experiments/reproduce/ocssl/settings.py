"""What is learned from and what is scored: data sets, and what is left out of their unlabeled images."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from medad.data.draw import draw_unlabeled
from medad.data.entries import Entry
from medad.data.imageset import ImageSet
from medad.data.preprocessing import Preprocessing
from medad.data.repartition import Repartition
from medad.workflows.splits import load

RATE = 0.6  # the usual anomaly rate of unlabeled images whose labels are known
OTHER = "other/"  # before the ids of images of another collection


@dataclass(frozen=True)
class Setting:
    """A training and the images that it is tested on.

    Attributes
    ----------
    name : str
        Of its folder among the stored results.
    dataset : str
        Folder of the data set.
    channels : int
        1 (grey) or 3 (RGB).
    split : str
        File in that folder that tells kinds, where the usual one does not.
    without : str
        Kind of abnormality that is left out of the unlabeled images.
    other : str
        Data set whose abnormal test images are scored as well.
    """

    name: str
    dataset: str
    channels: int = 1
    split: str = ""
    without: str = ""
    other: str = ""


SETTINGS = (
    Setting("brain_tumor", "brain_tumor", split="manifest.csv", other="brain_tumor_masks"),
    Setting("brain_tumor-without-glioma", "brain_tumor", split="manifest.csv", without="glioma"),
    Setting("brain_tumor-without-meningioma", "brain_tumor", split="manifest.csv", without="meningioma"),
    Setting("pediatric_cxr", "pediatric_cxr"),
    Setting("fundus_glaucoma", "fundus_glaucoma", channels=3),
    Setting("adult_cxr", "adult_cxr"),
    Setting("mvtec_screw", "mvtec_screw"),
)


@dataclass(frozen=True)
class Given:
    """The images of a setting; labels and kinds of the test images alone are known."""

    normal: ImageSet
    unlabeled: ImageSet | None
    test: ImageSet


def read_setting(setting: Setting, data: Path, size: int) -> Given:
    """Read the images of a setting from the folder of data sets, at `size` pixels.

    Raises
    ------
    UserError
        If a data set or one of its images cannot be read.
    """
    who = repartition(setting, data)
    preprocessing = Preprocessing(size, setting.channels)
    parts = {"normal": who.normal, "unlabeled": drawn(setting, who.unlabeled), "test": tested(setting, data, who)}
    found = {name: load(some, preprocessing, f"{name} images", None) for name, some in parts.items() if some}
    unlabeled = found.get("unlabeled")
    return Given(found["normal"].unlabelled(), unlabeled and unlabeled.unlabelled(), found["test"])


def repartition(setting: Setting, data: Path) -> Repartition:
    """Return who is in which split."""
    folder = data / setting.dataset
    return Repartition.read(folder, folder / setting.split) if setting.split else Repartition.read(folder)


def drawn(setting: Setting, pool: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return the unlabeled images: as every run draws them, then without the kind that is left out."""
    entries = draw_unlabeled(pool, None, RATE) if pool else ()
    return tuple(entry for entry in entries if not setting.without or entry.kind != setting.without)


def tested(setting: Setting, data: Path, who: Repartition) -> tuple[Entry, ...]:
    """Return the test images, then the abnormal ones of the other collection."""
    if not setting.other:
        return who.test
    folder = data / setting.other
    others = Repartition.read(folder, folder / "manifest.csv").test
    return who.test + tuple(replace(e, id=f"{OTHER}{e.id}", mask=None) for e in others if e.label == 1)
