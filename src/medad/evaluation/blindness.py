"""Whether changes that were made in images are found no better than chance, with what certainty so many images give.

A detector is *blind* to a change where the whole 95 % interval of a figure lies below chance plus `MARGIN`. It *finds*
the change where it is not blind and the whole interval lies above chance. What is neither, so few images cannot tell.
"""

import numpy as np

from medad.evaluation.delong import delong_variance
from medad.evaluation.figure import Figure
from medad.evaluation.intervals import clopper_pearson, mean_auroc, spread_interval

MARGIN = 0.1  # of an AUROC or an AP above chance: what nobody would call finding
FEWEST = 20  # images; with less than 17, not even scores that no change moves would show that a detector is blind


def is_blind(figure: Figure, chance: float) -> bool:
    """Return whether a figure is shown to be no more than `MARGIN` above chance."""
    return figure.high <= chance + MARGIN


def is_found(figure: Figure, chance: float) -> bool:
    """Return whether a figure is shown to be above chance, and may be so by more than `MARGIN`."""
    return figure.low > chance and not is_blind(figure, chance)


def pair_auroc(unchanged: np.ndarray, changed: np.ndarray) -> Figure:
    """Return the AUROC of changed images against the same images unchanged.

    An image and its change are one unit: the variance is DeLong's for clusters (Obuchowski, Biometrics 1997). The
    interval allows for a share of images that are unlike all of these: as many as may be missed in n draws.

    Parameters
    ----------
    unchanged, changed : array_like
        (n,) scores of the same images, or (members, n): then of the mean of the members' AUROCs.
    """
    scores = np.concatenate([np.atleast_2d(unchanged), np.atleast_2d(changed)], axis=1)
    count = scores.shape[1] // 2
    labels, owners = np.repeat([0, 1], count), [str(i) for i in range(count)] * 2
    value, spread = mean_auroc(labels, scores), np.sqrt(delong_variance(labels, scores, owners))
    low, high = spread_interval(value, spread, count) if spread > 0 else (value, value)
    unseen = clopper_pearson(0.0, count)[1]
    ends = min(low, value * (1 - unseen)), max(high, value + (1 - value) * unseen)
    return Figure(value, None, *ends)


def mean_share(values: np.ndarray) -> Figure:
    """Return the mean of a share of each image, (n,) in [0, 1], with the interval of so many images."""
    values = np.asarray(values, dtype=np.float64)
    value, spread = float(values.mean()), float(values.std() / np.sqrt(len(values)))
    return Figure(value, None, *spread_interval(value, spread, len(values)))
