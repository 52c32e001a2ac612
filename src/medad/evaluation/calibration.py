"""From scores to decisions without any abnormal label."""

import math
import warnings

import numpy as np


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
    scores = np.sort(np.asarray(normal_scores, dtype=np.float64).ravel())
    if not len(scores) or not np.isfinite(scores).all():
        raise ValueError("the threshold needs finite scores of at least one held-out normal image")
    if not 0 < specificity < 1:
        raise ValueError(f"specificity: a number between 0 and 1, not {specificity}")
    m = len(scores)
    rank = math.ceil(specificity * (m + 1) - 1e-9)  # the margin keeps 0.95 * 20 from becoming 19.000...1
    if rank > m:
        promise = f"{m} held-out normal images promise a specificity of {m / (m + 1):.3f}, not {specificity}"
        warnings.warn(f"{promise}; hold out more", RuntimeWarning, stacklevel=2)
    return float(np.nextafter(scores[min(rank, m) - 1], np.inf))
