"""AdaDetect: a list with a promised false-discovery rate, by a classifier that has seen the list (Marandon et al.)."""

import numpy as np

from medad.evaluation.calibration import conformal_p_values
from medad.evaluation.pools import normal_against_unlabeled


def adadetect(
    learned: np.ndarray,
    calibration: np.ndarray,
    listed: np.ndarray,
    seed: int = 0,
) -> np.ndarray:
    """Return p-values of the images of a list, (k,).

    A regression learns to tell some normal images from all others, which are other normal images and the list,
    without being told which is which. Among these others the normal ones are exchangeable whatever was learned, so the
    share of normal images that reach a score is a p-value, and :func:`medad.evaluation.promises.discoveries.q_values`
    keep their promise, however good or bad the regression is.

    Parameters
    ----------
    learned : ndarray
        (n, d) of normal images.
    calibration : ndarray
        (m, d) of other normal images.
    listed : ndarray
        (k, d) of the list.
    seed : int
        Of the folds in which the strength of the regression is chosen.

    References
    ----------
    Marandon, Lei, Mary, Roquain, Adaptive novelty detection with false discovery rate guarantee, Annals of Statistics
    2024 (arXiv 2208.06685).
    """
    mixed = np.concatenate([calibration, listed])
    weights = normal_against_unlabeled(learned, mixed, seed)
    scores = mixed @ weights[:-1]
    return conformal_p_values(scores[len(calibration) :], scores[: len(calibration)])


def halves(count: int, seed: int, share: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Return which of `count` normal images are learned from and which calibrate, at random: rows, ascending."""
    order = np.random.default_rng(seed).permutation(count)
    first = round(share * count)
    return np.sort(order[:first]), np.sort(order[first:])
