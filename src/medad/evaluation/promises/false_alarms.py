"""False-alarm rates that held-out normal images promise."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from medad.errors import UserError
from medad.evaluation.calibration import finite_sorted
from medad.evaluation.units import units

DUST = 1e-9  # keeps 0.95 * 20 from becoming 19.000...1


@dataclass(frozen=True)
class FalseAlarms:
    """A threshold and what it promises.

    Attributes
    ----------
    threshold : float
        A score from which on an image is called abnormal.
    promised : float
        A normal image to come, exchangeable with those held out, is called abnormal with at most this probability.
    low, high : float
        95 % interval of the rate that this very threshold has over all normal images to come: it depends on which
        ones happened to be held out.
    images : int
        Number of held-out normal images, or patients.
    """

    threshold: float
    promised: float
    low: float
    high: float
    images: int


def images_needed(rate: float) -> int:
    """Return how many held-out normal images it takes to promise a false-alarm rate: 19 for 1 in 20."""
    return math.ceil(1 / rate - 1 - DUST)


def false_alarms(normal_scores: np.ndarray, rate: float) -> FalseAlarms:
    """Return the lowest threshold that promises a false-alarm rate.

    With m held-out scores it lies just above the ceil((1 - rate)(m + 1))-th smallest (split conformal). The share of
    normal images at or above it is, over the choice of those held out, at most a Beta variable, which gives the
    interval (Vovk, Conditional validity of inductive conformal predictors, 2012).

    Parameters
    ----------
    normal_scores : ndarray
        (m,) scores, higher is more abnormal.
    rate : float
        In (0, 1).

    Raises
    ------
    UserError
        If there are fewer images than the promise takes: tells how many are needed.
    ValueError
        If a score is not finite.
    """
    scores = finite_sorted(normal_scores)
    m = len(scores)
    if m < images_needed(rate):
        few = f"{m} held-out normal images cannot promise a false-alarm rate of {rate:g}"
        raise UserError(f"{few}; hold out at least {images_needed(rate)}, or ask for {1 / (m + 1):.3g}")
    above = math.floor(rate * (m + 1) + DUST)  # of m + 1 exchangeable images so many lie above the threshold at most
    low, high = stats.beta.ppf((0.025, 0.975), above, m + 1 - above)
    return FalseAlarms(float(np.nextafter(scores[m - above], np.inf)), above / (m + 1), float(low), float(high), m)


def of_patients(scores: np.ndarray, patients: Sequence[str]) -> np.ndarray:
    """Return the highest score of each patient: what raises the alarm; an image of nobody known is its own.

    Parameters
    ----------
    scores : ndarray
        (n,).
    patients : sequence of str
        (n,) names, empty where unknown.
    """
    number = np.unique(units(patients), return_inverse=True)[1]
    highest = np.full(number.max() + 1, -np.inf)
    np.maximum.at(highest, number, scores)
    return highest
