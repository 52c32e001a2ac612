"""``medad accept``: a site's own labelled images, held against what a run promises, on a page to sign."""

import datetime
from pathlib import Path

import numpy as np

from medad.data.imageset import ImageSet
from medad.detectors.contract.detector import Detector
from medad.detectors.contract.seen import digests_of
from medad.detectors.registry import load_detector
from medad.errors import UserError
from medad.evaluation.scores import write_scores
from medad.ownership import claimed
from medad.reports.acceptance import Acceptance, lead, write_acceptance
from medad.training.run_folder import read_run
from medad.version import __version__
from medad.workflows.evaluate import make_sheet
from medad.workflows.notes import say
from medad.workflows.promise import USUAL, Promise
from medad.workflows.scoring import score
from medad.workflows.splits import data_name, load, read_repartition

PAGE, SCORES = "acceptance.html", "scores.csv"


def accept(
    run: Path,
    data: Path,
    *,
    out: Path | None = None,
    split: Path | None = None,
    calibration: str | None = None,
    rate: float | None = None,
    device: str = "auto",
    jobs: int | None = None,
) -> Path:
    """Score a site's labelled images and hold what comes out against the promise.

    Images that the run has learned from, or on which the promise was made, are left out.

    Parameters
    ----------
    run : Path
        Run folder.
    data : Path
        Folder of a data set, or its split file; its test images are read, which must be of both classes.
    out : Path, optional
        Where ``acceptance.html`` and ``scores.csv`` go; by default ``RUN/accept-DATA``.
    split : Path, optional
        Split file to use instead of the folder's own.
    calibration, rate
        What is promised, see :meth:`medad.workflows.promise.Promise.of_run`; at most 0.05 by default.
    device, jobs
        See :class:`medad.detectors.contract.detector.Detector`.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    UserError
        If the run, the data or the folder do not allow it, or nothing is promised.
    """
    out = out or run / f"accept-{data_name(data)}"
    detector = load_detector(run, device=device, jobs=jobs)
    promise = Promise.of_run(run, detector, calibration, USUAL if rate is None else rate)
    assert promise.alarms is not None
    promise.decide(detector)
    entries = read_repartition(data, split).test
    if {entry.label for entry in entries} != {0, 1}:
        raise UserError(f"{split or data}: it takes normal and abnormal test images; list some in the split 'test'")
    with claimed(out, "accept", (PAGE, SCORES)):
        images = _new(load(entries, detector.options.preprocessing, "test images", jobs), detector, promise)
        table = score(detector, images)
        sheet = make_sheet(detector, images, table, read_run(run).get("map_scale"))
        title = f"Acceptance test: {detector.name} on {data_name(data)}"
        found = Acceptance(title, promise.alarms, table, _facts(run, detector, promise, images), sheet)
        write_scores(out / SCORES, table)
        write_acceptance(out / PAGE, found)
    say(lead(found))
    say(f"the page to sign: {out / PAGE}")
    return out / PAGE


def _new(images: ImageSet, detector: Detector, promise: Promise) -> ImageSet:
    """Leave out what the run knows already.

    Raises
    ------
    UserError
        If a class is then missing.
    """
    known = [part.numpy() for part in detector.seen_.values()]
    known += [] if promise.calibration is None else [promise.calibration.digests]
    old = np.isin(digests_of(images.pixels).numpy(), np.concatenate(known)) if known else np.zeros(len(images), bool)
    if old.any():
        say(f"{old.sum()} of {len(old)} images are known to the run, from its training or its promise: left out")
    new = images.subset(np.flatnonzero(~old))
    if new.labels is None or len(set(new.labels.tolist())) < 2:
        raise UserError("of the images that the run does not know one class is missing; give others")
    return new


def _facts(run: Path, detector: Detector, promise: Promise, images: ImageSet) -> dict[str, str]:
    described = read_run(run)
    used = {name: described["data"][name]["images"] for name in ("normal", "unlabeled") if name in described["data"]}
    known = promise.calibration
    source = "normal images held out from training" if known is None else f"of set {known.name}"
    assert promise.scores is not None and images.labels is not None
    return {
        "date": str(datetime.date.today()),
        "software": f"medad {__version__}",
        "method": f"{detector.name}, seed {detector.seed}",
        "learned from": ", ".join(f"{count} {name} images" for name, count in used.items()),
        "promise made on": f"{len(promise.scores)} {source}",
        "threshold": f"{promise.threshold:.6g}",
        "test images": f"{int((images.labels == 0).sum())} normal, {int((images.labels == 1).sum())} abnormal",
        "patients": "not known" if images.patients is None else str(len(set(filter(None, images.patients)))),
    }
