"""How many images of an unlabeled pool are abnormal, at least."""

import math
from dataclasses import dataclass

import numpy as np

CONFIDENCE, SLACK = 0.9, 0.01  # of the bound that the estimate makes small
LEAST = 0.05  # share of normal images below a score at which a ratio is taken


@dataclass(frozen=True)
class AbnormalShare:
    """Of a pool: an estimate, and a lower bound that holds with 95 % confidence.

    Both are too low where no score keeps all abnormal images above it: say "at least".
    """

    estimate: float
    at_least: float


def abnormal_share(normal: np.ndarray, unlabeled: np.ndarray, confidence: float = 0.95) -> AbnormalShare:
    """Return the share of abnormal images in a pool.

    Below any score the pool has at least the share of its normal images times what the normal images have there. The
    bound takes Dvoretzky's, Kiefer's and Wolfowitz' bands of both distributions.

    Parameters
    ----------
    normal, unlabeled : ndarray
        (n,) and (m,) scores of images that the detector has not learned from, higher is more abnormal.
    confidence : float
        Of the lower bound.
    """
    below = _below(normal, unlabeled)
    bands = [math.sqrt(math.log(4 / (1 - confidence)) / 2 / len(part)) for part in (normal, unlabeled)]
    usable = below[0] - bands[0] >= LEAST
    ratios = (below[1][usable] + bands[1]) / (below[0][usable] - bands[0])
    highest = float(min(ratios.min(initial=1.0), 1.0))
    return AbnormalShare(1 - min(best_bin(normal, unlabeled), 1.0), 1 - highest)


def best_bin(normal: np.ndarray, unlabeled: np.ndarray) -> float:
    """Return the share of normal images by the best bin estimate (Garg et al., NeurIPS 2021).

    Below a score there are at least as many of the unlabeled images, in proportion, as the share times those of the
    normal ones, so the ratio of both proportions is not below the share; the ratio is taken where its upper confidence
    bound is the smallest.

    Parameters
    ----------
    normal, unlabeled : ndarray
        (n,) and (m,) scores, higher is more abnormal.
    """
    below = _below(normal, unlabeled)
    some = below[0] > 0
    ratio = below[1][some] / below[0][some]
    error = sum(math.sqrt(math.log(4 / (1 - CONFIDENCE)) / 2 / len(part)) for part in (normal, unlabeled))
    return float(ratio[(ratio + (1 + SLACK) * error / below[0][some]).argmin()])


def _below(normal: np.ndarray, unlabeled: np.ndarray) -> list[np.ndarray]:
    """Return the shares of both at or below each score that there is."""
    ends = np.unique(np.concatenate([normal, unlabeled]))
    return [np.searchsorted(np.sort(part), ends, side="right") / len(part) for part in (normal, unlabeled)]
