"""Does a promise made on some normal images hold for others? Both sets are known to be normal."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy import stats

from medad.evaluation.intervals import auroc_interval, clopper_pearson
from medad.evaluation.metrics import auroc
from medad.evaluation.promises.false_alarms import FalseAlarms, of_patients
from medad.evaluation.shortcut import Shortcut, shortcut

LEVEL = 0.05


class Verdict(StrEnum):
    """What the two sets say of a promise."""

    FAILS = "fails"
    DIFFERENT = "different"
    UNREFUTED = "unrefuted"


@dataclass(frozen=True)
class Check:
    """Local normal images held against those on which a promise was made.

    Attributes
    ----------
    rate, low, high : float
        Share of the local images at or above the threshold, and its 95 % interval.
    promised : FalseAlarms
        The promise.
    scores : Shortcut
        How often a local image scores higher than one of the calibration set, with its 95 % interval: .5 if the
        promise holds.
    looks : Shortcut or None
        How well a regression on descriptors tells the two sets apart; None where there are too few images, or no
        descriptors.
    p : float
        Of the hypothesis that scores of both sets are distributed alike (Kolmogorov and Smirnov).
    images : int
        Number of local images, or patients.
    """

    rate: float
    low: float
    high: float
    promised: FalseAlarms
    scores: Shortcut
    looks: Shortcut | None
    p: float
    images: int

    @property
    def verdict(self) -> Verdict:
        """Fails: more false alarms than the promise can explain; different: the sets differ, in scores or looks."""
        if self.low > self.promised.high:
            return Verdict.FAILS
        apart = self.p < LEVEL / 2 or (self.looks is not None and self.looks.low > 0.5)
        return Verdict.DIFFERENT if apart else Verdict.UNREFUTED

    @property
    def power(self) -> float:
        """The chance that as many local images would show a rate three times as high to be a broken promise."""
        return chance_to_notice(3 * self.promised.promised, self.promised.high, self.images)


def check(
    calibration: np.ndarray,
    local: np.ndarray,
    promised: FalseAlarms,
    *,
    descriptors: tuple[np.ndarray, np.ndarray] | None = None,
    patients: tuple[Sequence[str], Sequence[str]] | None = None,
    seed: int = 0,
) -> Check:
    """Hold local normal images against a calibration set.

    Parameters
    ----------
    calibration, local : ndarray
        (m,) and (n,) scores, higher is more abnormal.
    promised : FalseAlarms
        What was promised on the calibration set.
    descriptors : pair of ndarray, optional
        (m, d) and (n, d), of the same images.
    patients : pair of sequence of str, optional
        (m,) and (n,) whose each image is, empty where unknown: a patient then counts once, with the highest score.
    seed : int
        Of the folds in which descriptors are told apart.
    """
    sets = [calibration, local] if patients is None else [*map(of_patients, (calibration, local), patients)]
    second = np.repeat([False, True], [len(calibration), len(local)])
    both = np.concatenate([calibration, local])
    owners = None if patients is None else [*patients[0], *patients[1]]
    looks = None if descriptors is None else shortcut(np.concatenate(descriptors), second, owners, seed)
    alarms = sets[1] >= promised.threshold
    return Check(
        float(alarms.mean()),
        *clopper_pearson(float(alarms.mean()), len(alarms)),
        promised,
        Shortcut(auroc(second, both), *auroc_interval(second, both, owners)),
        looks,
        float(stats.ks_2samp(*sets).pvalue),
        len(alarms),
    )


def chance_to_notice(rate: float, promised: float, images: int) -> float:
    """Return the chance that the interval of `images` local images lies above `promised` where the rate is `rate`."""
    counts = np.arange(images + 1)
    noticed = np.array([clopper_pearson(count / images, images)[0] > promised for count in counts])
    return float(stats.binom.pmf(counts[noticed], images, min(rate, 1.0)).sum())
