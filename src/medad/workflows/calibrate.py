"""``medad calibrate``: normal images of a place and time, on which promises about others from there can be made."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from medad.data.imageset import ImageSet
from medad.data.loading import load_images
from medad.detectors.contract.detector import Detector
from medad.detectors.contract.seen import digests_of
from medad.detectors.registry import load_detector
from medad.errors import UserError
from medad.evaluation.summary import check_finite
from medad.workflows.calibration_set import (
    CalibrationSet,
    calibration_file,
    classes_of,
    looks_of,
    numbered,
    with_facts,
    write_calibration,
)
from medad.workflows.inputs import find_inputs
from medad.workflows.notes import say
from medad.workflows.scoring import score


def calibrate(
    run: Path, normals: Sequence[Path], name: str = "local", *, device: str = "auto", jobs: int | None = None
) -> Path:
    """Score normal images that a run has not learned from, and keep the scores in its folder.

    An image that is there twice counts once, a patient with several images with the highest score of them.

    Parameters
    ----------
    run : Path
        Run folder.
    normals : sequence of Path
        Image files, and folders that are searched for them.
    name : str
        Of the set; one of this name is replaced.
    device, jobs
        See :class:`medad.detectors.contract.detector.Detector`.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    UserError
        If the run, the images or the name do not allow it, or the run has learned from one of the images.
    """
    calibration_file(run, name)
    detector = load_detector(run, device=device, jobs=jobs)
    calibration = scored(detector, read_normals(detector, normals, jobs), name)
    path = write_calibration(run, calibration)
    units = len(calibration.scores)
    whose = "" if units == len(calibration.digests) else f" of {units} patients"
    say(f"{name}: {len(calibration.digests)} normal images{whose}; {path}")
    say(f"they can promise a false-alarm rate of {100 / (units + 1):.2g} % or more: medad predict --calibration {name}")
    return path


def read_normals(detector: Detector, normals: Sequence[Path], jobs: int | None) -> ImageSet:
    """Return the images as the detector sees them; which files cannot be read is said.

    Raises
    ------
    UserError
        If none can.
    """
    found = load_images(find_inputs(normals), detector.options.preprocessing, jobs, cache=False)
    for note in found.notes:
        say(note)
    for failure in found.failures:
        say(f"{failure.path}: {failure.reason}; left out")
    if not len(found.images):
        raise UserError(f"{normals[0]}: no image can be read")
    return with_facts(found)


def scored(detector: Detector, images: ImageSet, name: str) -> CalibrationSet:
    """Return normal images as a calibration set.

    Raises
    ------
    UserError
        If the detector has learned from one of them, or does not know from which it has learned.
    """
    digests, first = np.unique(digests_of(images.pixels).numpy(), return_index=True)
    if len(first) < len(images):
        say(f"{len(images) - len(first)} images are there more than once: counted once")
    if "trained" not in detector.seen_:
        raise UserError(f"{name}: the run does not tell which images it has learned from; train it again")
    learned = int(np.isin(digests, detector.seen_["trained"].numpy()).sum())
    if learned:
        raise UserError(
            f"{name}: the run has learned from {learned} of these {len(first)} images, which says nothing about new "
            "ones; give images that are neither its normal nor its unlabeled ones"
        )
    some = images.subset(np.sort(first))
    table = score(detector, some)
    check_finite(table)
    scores = table.columns["pred_score"]
    owners, digests = numbered(some.patients, len(some)), digests_of(some.pixels).numpy()
    return CalibrationSet(name, digests, owners, scores, looks_of(some), classes_of(some))
