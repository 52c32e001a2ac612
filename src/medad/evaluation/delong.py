"""DeLong's variance of the AUROC, and the paired test (DeLong, DeLong & Clarke-Pearson, 1988).

By mid-ranks (Sun & Xu, IEEE Signal Processing Letters 2014), so in O(n log n). Where patients have several images
the variance is that of clustered data (Obuchowski, Biometrics 1997).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from medad.evaluation.curves import checked
from medad.evaluation.units import units

DUST = 1e-12  # AUROCs that differ by less are equal: sums of the same numbers in another order


class Comparison(NamedTuple):
    """Two values on the same items.

    Attributes
    ----------
    difference : float
        The first value minus the second.
    low, high : float
        95 % interval of the difference.
    p : float
        Two-sided; NaN where it is undefined.
    """

    difference: float
    low: float
    high: float
    p: float


def _components(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return V10, (n1,), and V01, (n0,): how each abnormal and each normal item fares against the other class.

    Rows of `scores`, (members, n), are averaged: the AUROC is then the mean over members.
    """
    found = [_components_of_one(*checked(labels, member)) for member in np.atleast_2d(scores)]
    abnormal, normal = zip(*found, strict=True)
    return np.mean(abnormal, axis=0), np.mean(normal, axis=0)


def _components_of_one(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if labels.all() or not labels.any():
        raise ValueError("DeLong's method needs normal and abnormal items")
    everyone = stats.rankdata(scores)
    abnormal, normal = stats.rankdata(scores[labels]), stats.rankdata(scores[~labels])
    above = (everyone[labels] - abnormal) / (~labels).sum()
    below = 1 - (everyone[~labels] - normal) / labels.sum()
    return above, below


def _variance(labels: np.ndarray, parts: tuple[np.ndarray, np.ndarray], patients: Sequence[str] | None) -> float:
    """Return the variance of the mean of either part; NaN where a class has items of one patient only.

    Every item adds to the mean what its part exceeds it by, over the size of its class; what a patient's items add
    is summed before it is squared. Without patients this is S10 / n1 + S01 / n0.
    """
    labels = np.asarray(labels, dtype=bool)
    names = np.array(units(patients, len(labels)))
    added = np.zeros(len(labels))
    for chosen, part in zip((labels, ~labels), parts, strict=True):
        count = len(np.unique(names[chosen]))
        if count < 2:
            return float("nan")
        added[chosen] = (part - part.mean()) / len(part) * np.sqrt(count / (count - 1))
    return float((np.bincount(np.unique(names, return_inverse=True)[1], added) ** 2).sum())


def delong_variance(labels: np.ndarray, scores: np.ndarray, patients: Sequence[str] | None = None) -> float:
    """Return the variance of the AUROC.

    Parameters
    ----------
    labels : array_like
        (n,) in {0, 1}, both present.
    scores : array_like
        (n,) finite scores, or (members, n): then that of the mean of the members' AUROCs.
    patients : sequence of str, optional
        (n,) whose each item is, empty where unknown: a patient's items are not taken for independent.

    Returns
    -------
    float
        Not negative; NaN where a class has items of one patient only.

    Raises
    ------
    ValueError
        If a class is missing, lengths differ, or a score is not finite.
    """
    return _variance(labels, _components(labels, scores), patients)


def paired_variance(
    labels: np.ndarray, first: np.ndarray, second: np.ndarray, patients: Sequence[str] | None = None
) -> float:
    """Return the variance of the difference of two AUROCs on the same items (see `delong_variance`)."""
    return _variance(labels, _differences(labels, first, second), patients)


def _differences(labels: np.ndarray, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    above, below = (a - b for a, b in zip(_components(labels, first), _components(labels, second), strict=True))
    return above, below


def delong_test(
    labels: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    ids: tuple[Sequence[str], Sequence[str]] | None = None,
    patients: Sequence[str] | None = None,
) -> Comparison:
    """Compare the AUROCs of two scores of the same items.

    Parameters
    ----------
    labels : array_like
        (n,) in {0, 1}, both present, in the order of `first`.
    first, second : array_like
        (n,) finite scores, or (members, n): then means of the members' AUROCs are compared.
    ids : pair of sequences, optional
        The items of `first` and of `second`, by which they are matched; without it both have one order.
    patients : sequence of str, optional
        (n,) see `delong_variance`.

    Returns
    -------
    Comparison
        With zero variance p is 1 if the AUROCs are equal, and undefined (NaN) otherwise: so small a sample cannot
        tell how much the difference would vary.

    Raises
    ------
    ValueError
        If a class is missing, lengths differ, a score is not finite, or ids are not the same items.
    """
    second = np.atleast_2d(second)
    if ids is not None:
        second = second[:, matching(*ids)]
    differences = _differences(labels, first, second)
    difference = float(differences[0].mean())
    spread = float(np.sqrt(_variance(labels, differences, patients)))
    if spread <= DUST:
        p = 1.0 if abs(difference) < DUST else float("nan")
    else:
        p = float(2 * stats.norm.sf(abs(difference) / spread))
    margin = stats.norm.ppf(0.975) * spread
    return Comparison(difference, difference - margin, difference + margin, p)


def matching(ids: Sequence[str], others: Sequence[str]) -> np.ndarray:
    """Return where each of `ids` stands among `others`.

    Raises
    ------
    ValueError
        If they are not the same items, each once; one is named.
    """
    place = {name: i for i, name in enumerate(others)}
    odd = sorted(set(ids) ^ set(others))
    if odd or len(place) < len(others) or len(ids) != len(others):
        raise ValueError(f"not the same items: {odd[0] if odd else 'an item is repeated'}")
    return np.array([place[name] for name in ids])
