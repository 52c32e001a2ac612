"""What a promise says, in words."""

import math
from collections.abc import Iterator

import numpy as np

from medad.detectors.contract.detector import SPECIFICITY
from medad.evaluation.calibration import promised_specificity
from medad.evaluation.promises.abnormal_share import abnormal_share
from medad.evaluation.promises.discoveries import expected_normal
from medad.evaluation.scores import ScoreTable
from medad.workflows.promise import Promise

LISTED_AT = 0.1  # false-discovery rate of the list that the page speaks of


def told(promise: Promise) -> Iterator[str]:
    """Say what the threshold promises and what the figures of an image mean, or that nothing is promised."""
    if promise.threshold is None:
        yield (
            "The run has no threshold, because no normal images were held out from its training (option holdout "
            "does that, medad calibrate does it afterwards). Nothing is promised about false alarms: the order is "
            "all that is known."
        )
        return
    m = None if promise.scores is None else len(promise.scores)
    kept = _specificity(promise, m)
    yield from _told_of_classes(promise)
    yield (
        f"Called abnormal is a score of {promise.threshold:.4g} or more. The threshold was chosen on "
        f"{_source(promise)}. Of normal images like those it calls, on average, at least {100 * kept:.3g} % normal and "
        f"at most {100 * (1 - kept):.3g} % abnormal{_between(promise)}. About images from another source it promises "
        "nothing."
    )
    if m is not None:
        yield (
            "Percentile: how many per cent of these normal images score lower; equal ones count half. p: the share "
            "of them that score as high or higher, the image itself counted in, so that it is never below "
            f"1/{m + 1} = {1 / (m + 1):.2g}. Neither is the probability of a disease."
        )


def _told_of_classes(promise: Promise) -> Iterator[str]:
    if promise.classes is None:
        return
    each = [
        f"{name} from {alarms.threshold:.4g} on ({alarms.images} normal images or patients, at most "
        f"{100 * alarms.promised:.3g} % false alarms)"
        for name, alarms in promise.classes.alarms.items()
    ]
    own = ", ".join(each) or "none has enough"
    yield (
        f"Images are judged by normal ones of the same {promise.by}: {own}. p and q are then by these, percentiles by "
        f"all. For images of any other {promise.by}, or of none that is known, this holds:"
    )


def told_of(promise: Promise, table: ScoreTable) -> Iterator[str]:
    """Say what the q-values of images promise, how many of those at the top are normal, and how many are not."""
    if table.q_value is None or promise.scores is None:
        return
    yield _listed(promise, table, table.q_value)
    least = abnormal_share(promise.scores, table.columns["pred_score"]).at_least
    if least > 0:
        yield (
            f"At least {100 * least:.2g} % of all {len(table)} images are abnormal: a lower bound that holds with "
            "95 % confidence, if the normal ones among them are like those that the threshold was chosen on. More "
            "may be."
        )


def _listed(promise: Promise, table: ScoreTable, q: np.ndarray) -> str:
    listed, normal = expected_normal(q, LISTED_AT)
    meaning = (
        "q: put all images with a q of at most 0.1 on a list, and on average over such lists at most one in ten is "
        f"normal, if the normal images among these {len(table)} are like those that the threshold was chosen on."
    )
    if listed:
        return f"{meaning} Of these {listed} images at most {normal:.3g} are expected to be normal."
    return (
        f"{meaning} None has. To put a single image of {len(table)} on it takes "
        f"{math.ceil(len(table) / LISTED_AT) - 1} such normal images, fewer if several stand out."
    )


def _source(promise: Promise) -> str:
    m = "" if promise.scores is None else f"{len(promise.scores)} "
    if promise.calibration is None:
        return f"{m}normal images {promise.source}"
    units = "images" if len(promise.calibration.digests) == len(promise.calibration.scores) else "patients"
    return f"{m}normal {units} of the calibration set {promise.calibration.name}"


def _between(promise: Promise) -> str:
    if promise.alarms is None:
        return ""
    return f" (this very threshold: {100 * promise.alarms.low:.2g} to {100 * promise.alarms.high:.2g} %)"


def _specificity(promise: Promise, m: int | None) -> float:
    if promise.alarms is not None:
        return 1 - promise.alarms.promised
    return SPECIFICITY if m is None else promised_specificity(m, SPECIFICITY)
