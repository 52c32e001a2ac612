"""Average precision of regions that are small beside the rest, whose pixels are sorted once."""

import numpy as np


def average_precisions(positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
    """Return the step-wise average precision of several sets of positive scores among the same negative ones, (k,).

    Parameters
    ----------
    positive : ndarray
        (k, p), p at least 1.
    negative : ndarray
        (m,) ascending.
    """
    scores = np.sort(positive, axis=1)
    count = scores.shape[1]
    false = len(negative) - np.searchsorted(negative, scores, side="left")
    # Of equal scores all are found together: each takes the precision of the lowest place of them.
    new = np.concatenate([np.ones((len(scores), 1), bool), scores[:, 1:] != scores[:, :-1]], axis=1)
    true = count - np.maximum.accumulate(np.where(new, np.arange(count), 0), axis=1)
    return (true / (true + false)).mean(1)
