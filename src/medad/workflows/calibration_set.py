"""Normal images of a place and time, as a run scores them: ``calibration/NAME.csv`` in its folder."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medad.errors import OptionError, UserError, closest
from medad.evaluation.promises.false_alarms import of_patients
from medad.files import replacing
from medad.training.run_folder import CALIBRATION_FOLDER

COLUMNS = ("image", "patient", "pred_score")


@dataclass(frozen=True)
class CalibrationSet:
    """Scores of normal images that a run has not learned from.

    Attributes
    ----------
    name : str
        Letters, digits, ``-``, ``_`` and ``.``.
    digests : ndarray
        (n,) ``int64``: what each image is known by.
    patients : tuple of str
        (n,) numbers of patients, empty where unknown.
    image_scores : ndarray
        (n,) ``pred_score``.
    """

    name: str
    digests: np.ndarray
    patients: tuple[str, ...]
    image_scores: np.ndarray

    @property
    def scores(self) -> np.ndarray:
        """The highest score of each patient, (m,): what promises are made on."""
        return of_patients(self.image_scores, self.patients)


def calibration_file(run: Path, name: str) -> Path:
    """Return where a set lies.

    Raises
    ------
    OptionError
        If the name cannot be that of a file.
    """
    if not re.fullmatch(r"\w[\w.-]*", name, re.ASCII):
        raise OptionError("name", "choose letters, digits, hyphens, dots and underscores", name)
    return Path(run) / CALIBRATION_FOLDER / f"{name}.csv"


def write_calibration(run: Path, calibration: CalibrationSet) -> Path:
    """Write a set into the folder of a run, in the place of one of the same name; no image or patient is named."""
    path = calibration_file(run, calibration.name)
    path.parent.mkdir(exist_ok=True)
    rows = zip(calibration.digests.tolist(), calibration.patients, calibration.image_scores.tolist(), strict=True)
    with replacing(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *([i, p, repr(score)] for i, p, score in rows)])
    return path


def read_calibration(run: Path, name: str) -> CalibrationSet:
    """Return a set of a run.

    Raises
    ------
    UserError
        If there is no such set, or the file is damaged.
    """
    path = calibration_file(run, name)
    try:
        header, *rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
        digests, patients, scores = zip(*rows, strict=True)
        found = CalibrationSet(name, np.array(digests, np.int64), patients, np.array(scores, np.float64))
    except FileNotFoundError:
        known = sorted(file.stem for file in path.parent.glob("*.csv"))
        hint = f"; there are {', '.join(known)}{closest(name, known)}" if known else ""
        raise UserError(f"{run}: no calibration set {name}{hint}; medad calibrate makes one") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: not readable ({error!s:.100}); calibrate again") from error
    if tuple(header) != COLUMNS or not np.isfinite(found.image_scores).all():
        raise UserError(f"{path}: not a calibration set; calibrate again")
    return found
