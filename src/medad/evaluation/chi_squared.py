"""The chi-squared distance of two classes' histograms, and its bootstrap (Cai et al. 2023, Fig. 8)."""

from collections.abc import Sequence

import numpy as np

from medad.evaluation.bootstrap import resampled
from medad.evaluation.curves import checked, one_class

BINS = 100


def class_densities(labels: np.ndarray, scores: np.ndarray, bins: int = BINS) -> tuple[np.ndarray, np.ndarray]:
    """Histogram densities of the normal and the abnormal scores, (bins,) each, heights summing to `bins`.

    All scores are scaled to [0, 1] by their joint minimum and maximum first (DDAD, Fig. 8). A class without
    items has a density of zeros.
    """
    labels, scores = checked(labels, scores)
    spread = np.ptp(scores)
    unit = (scores - scores.min()) / (spread if spread > 0 else 1)
    counts = [np.histogram(unit[labels == label], bins=bins, range=(0, 1))[0] for label in (False, True)]
    normal, abnormal = (count * (bins / max(count.sum(), 1)) for count in counts)
    return normal, abnormal


def chi_squared_distance(labels: np.ndarray, scores: np.ndarray, bins: int = BINS, *, official: bool = False) -> float:
    """Chi-squared distance of the two classes' histograms (Cai et al. 2023, Fig. 8).

    0.5 * sum (a - b)^2 / (a + b) over the bins of `class_densities`. It depends on the number of bins and,
    through the scaling by minimum and maximum, on outliers.

    Parameters
    ----------
    labels, scores : array_like
        (n,) labels in {0, 1} and (n,) finite scores.
    bins : int
        Number of equal bins on [0, 1].
    official : bool
        Add 1e-15 to numerator and denominator as the authors' code does, so that every bin in which neither
        class has an item adds 0.5. By default such a bin adds nothing.

    Returns
    -------
    float
        In [0, `bins`]; NaN with a ``RuntimeWarning`` if a class is missing.

    Raises
    ------
    ValueError
        If the input is empty, differs in length, or a score is not finite.
    """
    if one_class(checked(labels, scores)[0]):
        return float("nan")
    return float(_distance(*class_densities(labels, scores, bins), 1e-15 if official else 0.0))


def _distance(normal: np.ndarray, abnormal: np.ndarray, added: float) -> np.ndarray:
    """Return the distance of (..., bins) densities, `added` to numerators and denominators; 0 / 0 adds nothing."""
    square, total = (normal - abnormal) ** 2 + added, normal + abnormal + added
    return 0.5 * np.divide(square, total, out=np.zeros_like(total), where=total > 0).sum(axis=-1)


def chi_squared_draws(
    labels: np.ndarray, scores: np.ndarray, patients: Sequence[str] | None = None, draws: int = 2000, seed: int = 0
) -> np.ndarray:
    """Distances in each draw of a stratified bootstrap (`medad.evaluation.bootstrap.resampled`).

    The scale stays that of all items. Take their spread only: a draw repeats items, so its histograms are rougher and
    its distance is larger, the more so the fewer items there are.

    Parameters
    ----------
    labels : array_like
        (n,) in {0, 1}, both present.
    scores : array_like
        (n,) finite scores, or (members, n): then the mean over members in each draw.
    patients : sequence of str, optional
        (n,) whose each item is, empty where unknown.
    draws, seed : int
        Number of draws and seed of the generator.

    Returns
    -------
    ndarray
        (draws,) in [0, `BINS`].
    """
    abnormal = np.asarray(labels, dtype=bool)
    members = [_indicators(checked(labels, member)[1]) for member in np.atleast_2d(scores)]
    found = []
    for times in resampled(abnormal, draws, seed, patients):
        classes = [times[:, chosen].astype(np.float64) for chosen in (~abnormal, abnormal)]
        shares = [BINS * part / part.sum(axis=1, keepdims=True) for part in classes]
        each = [_distance(shares[0] @ member[~abnormal], shares[1] @ member[abnormal], 0.0) for member in members]
        found.append(np.mean(each, axis=0))
    return np.concatenate(found)


def _indicators(scores: np.ndarray) -> np.ndarray:
    """Return (n, BINS): 1 in the bin of each score."""
    spread = np.ptp(scores)
    unit = (scores - scores.min()) / (spread if spread > 0 else 1)
    return np.eye(BINS)[np.minimum((unit * BINS).astype(np.int64), BINS - 1)]
