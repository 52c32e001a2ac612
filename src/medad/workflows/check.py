"""``medad check``: whether what a run promises holds for normal images of a place and time."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from medad.detectors.contract.detector import Detector
from medad.detectors.registry import load_detector
from medad.errors import UserError
from medad.evaluation.intervals import auroc_interval
from medad.evaluation.metrics import auroc
from medad.evaluation.promises.exchangeability import Check, Verdict, check
from medad.evaluation.promises.false_alarms import images_needed
from medad.workflows.calibrate import read_normals, scored
from medad.workflows.calibration_set import CalibrationSet
from medad.workflows.check_facts import changed_facts
from medad.workflows.notes import say
from medad.workflows.promise import USUAL, Promise

FACTS = ("mean intensity", "mean gradient")  # the first columns of what images look like


def check_promise(
    run: Path,
    normals: Sequence[Path],
    *,
    calibration: str | None = None,
    rate: float | None = None,
    device: str = "auto",
    jobs: int | None = None,
) -> Verdict:
    """Hold local normal images against those on which a run promises, and print what follows.

    Parameters
    ----------
    run : Path
        Run folder.
    normals : sequence of Path
        Images of the place and time of use that are known to be normal, and folders that are searched for them.
    calibration : str, optional
        Name of the set on which the promise was made; by default the normal images held out from training, of which
        scores alone are known.
    rate : float, optional
        The false-alarm rate promised; 0.05 by default.
    device, jobs
        See :class:`medad.detectors.contract.detector.Detector`.

    Raises
    ------
    UserError
        If the run or the images do not allow it, nothing is promised, an image was learned from, or all are those on
        which the promise was made.
    """
    detector = load_detector(run, device=device, jobs=jobs)
    promise = Promise.of_run(run, detector, calibration, USUAL if rate is None else rate)
    local = _others(scored(detector, read_normals(detector, normals, jobs), "check"), promise, detector)
    found = _checked(promise, local)
    for line in _told(found, promise, local, run):
        say(line)
    return found.verdict


def _checked(promise: Promise, local: CalibrationSet) -> Check:
    assert promise.scores is not None and promise.alarms is not None
    known = promise.calibration
    if known is None:
        return check(promise.scores, local.scores, promise.alarms)
    return check(
        known.image_scores,
        local.image_scores,
        promise.alarms,
        descriptors=(known.looks, local.looks),
        patients=(known.owners, [owner and f"local {owner}" for owner in local.owners]),
    )


def _others(local: CalibrationSet, promise: Promise, detector: Detector) -> CalibrationSet:
    """Leave out the images on which the promise was made: they cannot speak against it."""
    known = detector.seen_["held_out"].numpy() if promise.calibration is None else promise.calibration.digests
    same = np.isin(local.digests, known)
    if same.all():
        raise UserError(f"the promise was made on all of these {len(same)} images; give others")
    if same.any():
        say(f"{same.sum()} of {len(same)} images are among those that the promise was made on: left out")
    return local.part(~same)


def _told(found: Check, promise: Promise, local: CalibrationSet, run: Path) -> Iterator[str]:
    """Say what was found and what to do."""
    percent = [f"{100 * share:.3g}" for share in (found.rate, found.low, found.high)]
    yield (
        f"of {found.images} normal images or patients {percent[0]} % [{percent[1]}, {percent[2]}] are called abnormal; "
        f"promised was {100 * found.promised.promised:.3g} %, which for this threshold may be "
        f"{100 * found.promised.low:.2g} to {100 * found.promised.high:.2g} %"
    )
    pairs = [f"{100 * share:.0f}" for share in (found.scores.auroc, found.scores.low, found.scores.high)]
    yield f"one of them scores higher than one of the promise's in {pairs[0]} of 100 pairs [{pairs[1]}, {pairs[2]}]"
    yield from _looks(found, promise, local)
    yield _concluded(found, run)


def _looks(found: Check, promise: Promise, local: CalibrationSet) -> Iterator[str]:
    if found.looks is None or promise.calibration is None:
        yield "how the images look was not compared: it takes a calibration set, and five images of either at least"
        return
    ends = [f"{100 * share:.0f}" for share in (found.looks.auroc, found.looks.low, found.looks.high)]
    yield f"by what they look like at a glance they are told apart in {ends[0]} of 100 pairs [{ends[1]}, {ends[2]}]"
    second = np.repeat([0, 1], [len(promise.calibration.looks), len(local.looks)])
    for i, fact in enumerate(FACTS):
        values = np.concatenate([promise.calibration.looks[:, i], local.looks[:, i]])
        low, high = auroc_interval(second, values)
        if low > 0.5 or high < 0.5:
            word = "higher" if low > 0.5 else "lower"
            yield f"their {fact} is {word}: in {100 * abs(auroc(second, values) - (high < 0.5)):.0f} of 100 pairs"
    yield from changed_facts(promise.calibration, local)


def _concluded(found: Check, run: Path) -> str:
    needed = images_needed(found.promised.promised)
    remedy = f"medad calibrate {run} IMAGES --name HERE, with at least {needed} normal images or patients from here"
    if found.verdict == Verdict.FAILS:
        return f"THE PROMISE FAILS HERE: {remedy}"
    if found.verdict == Verdict.DIFFERENT:
        return f"these images are not like those of the promise, which may not hold, however few the alarms: {remedy}"
    chance = f"{100 * found.power:.0f} of 100 cases"
    return f"nothing speaks against the promise; a rate three times as high would be noticed in {chance}"
