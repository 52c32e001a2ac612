"""Normal images of a place and time, as a run scores them: ``calibration/NAME.safetensors`` in its folder."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from medad.data.imageset import ImageSet
from medad.data.loading import Loaded
from medad.errors import OptionError, UserError, closest
from medad.evaluation.image_statistics import image_statistics
from medad.evaluation.promises.false_alarms import of_patients
from medad.evaluation.shortcut import histograms, together
from medad.training.checkpoint import load_tensors, save_tensors
from medad.training.run_folder import CALIBRATION_FOLDER

SUFFIX = ".safetensors"
CLASSES = ("view", "manufacturer")  # within which promises can be made
FACTS = (*CLASSES, "size", "depth", "format")  # that a set keeps of how its images were made
LOOKS = ("mean_intensity", "mean_gradient", "thumbnail")


@dataclass(frozen=True)
class CalibrationSet:
    """Normal images that a run has not learned from.

    Attributes
    ----------
    name : str
        Letters, digits, ``-``, ``_`` and ``.``.
    digests : ndarray
        (n,) ``int64``: what each image is known by.
    patients : ndarray
        (n,) ``int64``: numbers of patients, 0 where unknown.
    image_scores : ndarray
        (n,) ``pred_score``.
    looks : ndarray
        (n, d) ``float32``, see :func:`looks_of`.
    classes : mapping of str to tuple of str
        By name of `FACTS` the class of each image, empty where unknown; only those of which something is known.
    """

    name: str
    digests: np.ndarray
    patients: np.ndarray
    image_scores: np.ndarray
    looks: np.ndarray
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def part(self, rows: np.ndarray) -> "CalibrationSet":
        """Return the images at `rows`."""
        classes = {name: tuple(np.array(values)[rows].tolist()) for name, values in self.classes.items()}
        return replace(self, classes=classes, **{name: getattr(self, name)[rows] for name in _ARRAYS})

    @property
    def owners(self) -> list[str]:
        """Whose each image is, empty where unknown."""
        return [str(patient) if patient else "" for patient in self.patients]

    @property
    def scores(self) -> np.ndarray:
        """The highest score of each patient, (m,): what promises are made on."""
        return of_patients(self.image_scores, self.owners)


def with_facts(loaded: Loaded) -> ImageSet:
    """Return the images, and among their groups how their files hold them."""
    made = {
        "size": tuple(f"{facts.width} x {facts.height}" for facts in loaded.facts),
        "depth": tuple(f"{facts.bits} bits" for facts in loaded.facts),
        "format": tuple(facts.format for facts in loaded.facts),
    }
    return replace(loaded.images, groups={**(loaded.images.groups or {}), **made})


def classes_of(images: ImageSet) -> dict[str, tuple[str, ...]]:
    """Return the classes of images, as a set keeps them: of the device and the picture, nothing of the patient."""
    return {name: values for name, values in (images.groups or {}).items() if name in FACTS}


def looks_of(images: ImageSet) -> np.ndarray:
    """Return what images look like at a glance, (n, d) ``float32``: a histogram, gradients, and an 8 x 8 thumbnail."""
    known = image_statistics(images)
    plain = {name: known[name] for name in LOOKS} | {"histogram": histograms(images.pixels, images.scale)}
    return together(plain).astype(np.float32)


def numbered(patients: Sequence[str] | None, count: int) -> np.ndarray:
    """Return numbers of the patients of `count` images, (n,): from 1 on, 0 where unknown."""
    if patients is None:
        return np.zeros(count, np.int64)
    number = {name: i for i, name in enumerate(dict.fromkeys(filter(None, patients)), start=1)}
    return np.array([number.get(name, 0) for name in patients], np.int64)


def calibration_file(run: Path, name: str) -> Path:
    """Return where a set lies.

    Raises
    ------
    OptionError
        If the name cannot be that of a file.
    """
    if not re.fullmatch(r"\w[\w.-]*", name, re.ASCII):
        raise OptionError("name", "choose letters, digits, hyphens, dots and underscores", name)
    return Path(run) / CALIBRATION_FOLDER / f"{name}{SUFFIX}"


def write_calibration(run: Path, calibration: CalibrationSet) -> Path:
    """Write a set into the folder of a run, in the place of one of the same name; no image or patient is named."""
    path = calibration_file(run, calibration.name)
    path.parent.mkdir(exist_ok=True)
    arrays = {name: torch.from_numpy(getattr(calibration, name)) for name in _ARRAYS}
    save_tensors(path, arrays, classes=json.dumps(dict(calibration.classes)))
    return path


def read_calibration(run: Path, name: str) -> CalibrationSet:
    """Return a set of a run.

    Raises
    ------
    UserError
        If there is no such set, or the file is damaged.
    """
    path = calibration_file(run, name)
    if not path.exists():
        known = sorted(file.name.removesuffix(SUFFIX) for file in path.parent.glob(f"*{SUFFIX}"))
        hint = f"; there are {', '.join(known)}{closest(name, known)}" if known else ""
        raise UserError(f"{run}: no calibration set {name}{hint}; medad calibrate makes one")
    tensors, metadata = load_tensors(path)
    if set(tensors) != set(_ARRAYS) or not torch.isfinite(tensors["image_scores"]).all():
        raise UserError(f"{path}: not a calibration set; calibrate again")
    classes = {name: tuple(values) for name, values in json.loads(metadata.get("classes", "{}")).items()}
    if any(len(values) != len(tensors["digests"]) for values in classes.values()):
        raise UserError(f"{path}: not a calibration set; calibrate again")
    return CalibrationSet(name, **{array: tensors[array].numpy() for array in _ARRAYS}, classes=classes)


_ARRAYS = ("digests", "patients", "image_scores", "looks")
