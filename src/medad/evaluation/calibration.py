"""From scores to decisions without any abnormal label."""

import math
import warnings

import numpy as np


def conformal_p_values(scores: np.ndarray, normal_scores: np.ndarray) -> np.ndarray:
    """Return how surprising each score would be of a normal image: its split-conformal p-value.

    p = (1 + #{held-out scores >= s}) / (m + 1). For a normal image that is exchangeable with the held-out
    ones, p <= a has a probability of at most a, whatever a is; no p-value is below 1 / (m + 1). It is not
    the probability that the image is normal.

    Parameters
    ----------
    scores : array_like
        (n,) scores, higher is more abnormal.
    normal_scores : array_like
        (m,) scores of held-out normal images, at least one.

    Returns
    -------
    ndarray
        (n,) in (0, 1].

    Raises
    ------
    ValueError
        If there is no held-out score, or one is not finite.
    """
    normal = finite_sorted(normal_scores)
    reached = len(normal) - np.searchsorted(normal, scores, side="left")
    return (1 + reached) / (len(normal) + 1)


def percentiles(scores: np.ndarray, normal_scores: np.ndarray) -> np.ndarray:
    """Return which per cent of held-out normal images score below each score; equal ones count half.

    Parameters
    ----------
    scores, normal_scores
        See :func:`conformal_p_values`, also for errors.

    Returns
    -------
    ndarray
        (n,) in [0, 100].
    """
    normal = finite_sorted(normal_scores)
    below, up_to = (np.searchsorted(normal, scores, side=side) for side in ("left", "right"))
    return 50 * (below + up_to) / len(normal)


def promised_specificity(m: int, specificity: float = 0.95) -> float:
    """Return what :func:`threshold_at_specificity` can promise with `m` held-out images: at most m / (m + 1)."""
    return min(specificity, m / (m + 1))


def finite_sorted(normal_scores: np.ndarray) -> np.ndarray:
    """Return the scores of held-out images in ascending order; raises ValueError for none or one that is not finite."""
    scores = np.sort(np.asarray(normal_scores, dtype=np.float64).ravel())
    if not len(scores) or not np.isfinite(scores).all():
        raise ValueError("finite scores of at least one held-out normal image are needed")
    return scores


def threshold_at_specificity(normal_scores: np.ndarray, specificity: float = 0.95) -> float:
    """Threshold t for "abnormal when score >= t" from normal images that were not trained on.

    With m held-out scores, t lies just above the ceil(specificity * (m + 1))-th smallest (split conformal):
    a new normal image, exchangeable with the held-out ones, is called normal with a probability of at least
    `specificity`. The plain quantile would promise slightly too much.

    Parameters
    ----------
    normal_scores : array_like
        (m,) finite scores of held-out normal images. To promise a specificity q takes m >= q / (1 - q),
        19 images for 95 %; with fewer, t lies just above the highest score and a warning says what holds.
    specificity : float
        In (0, 1).

    Returns
    -------
    float
        The threshold.

    Raises
    ------
    ValueError
        If there is no score, one is not finite, or `specificity` is outside (0, 1).
    """
    scores = finite_sorted(normal_scores)
    if not 0 < specificity < 1:
        raise ValueError(f"specificity: a number between 0 and 1, not {specificity}")
    m = len(scores)
    rank = math.ceil(specificity * (m + 1) - 1e-9)  # the margin keeps 0.95 * 20 from becoming 19.000...1
    if rank > m:
        kept = promised_specificity(m, specificity)
        promise = f"{m} held-out normal images promise a specificity of {kept:.3f}, not {specificity}"
        warnings.warn(f"{promise}; hold out more", RuntimeWarning, stacklevel=2)
    return float(np.nextafter(scores[min(rank, m) - 1], np.inf))
