"""DeLong's variance of the AUROC, its interval, and the paired test (DeLong, DeLong & Clarke-Pearson, 1988).

By mid-ranks (Sun & Xu, IEEE Signal Processing Letters 2014), so in O(n log n).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from medad.evaluation.curves import checked


class Interval(NamedTuple):
    """An AUROC with its confidence interval.

    Attributes
    ----------
    value, low, high : float
        In [0, 1].
    method : str
        ``"delong"``, or ``"beta"`` where DeLong's variance is zero or undefined.
    """

    value: float
    low: float
    high: float
    method: str


class Comparison(NamedTuple):
    """Two values on the same items.

    Attributes
    ----------
    difference : float
        The first value minus the second.
    low, high : float
        95 % interval of the difference.
    p : float
        Two-sided.
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


def _variance(parts: tuple[np.ndarray, np.ndarray]) -> float:
    """Return S10 / n1 + S01 / n0; NaN where a class has one item."""
    if min(map(len, parts)) < 2:
        return float("nan")
    return float(sum(part.var(ddof=1) / len(part) for part in parts))


def delong_variance(labels: np.ndarray, scores: np.ndarray) -> float:
    """Return the variance of the AUROC.

    Parameters
    ----------
    labels : array_like
        (n,) in {0, 1}, both present.
    scores : array_like
        (n,) finite scores, or (members, n): then that of the mean of the members' AUROCs.

    Returns
    -------
    float
        Not negative; NaN where a class has only one item.

    Raises
    ------
    ValueError
        If a class is missing, lengths differ, or a score is not finite.
    """
    return _variance(_components(labels, scores))


def delong_interval(labels: np.ndarray, scores: np.ndarray, confidence: float = 0.95) -> Interval:
    """Return the AUROC with its interval on the logit scale (same parameters and errors as `delong_variance`).

    An AUROC of 0 or 1, or one whose variance is zero or undefined, has no such interval: bounds are then those
    of Clopper and Pearson for as many trials as the smaller class has items, which is conservative.
    """
    parts = _components(labels, scores)
    value, variance = float(parts[0].mean()), _variance(parts)
    if not (variance > 0 and 0 < value < 1):
        return Interval(value, *_beta_bounds(value, min(map(len, parts)), confidence), "beta")
    margin = stats.norm.ppf(0.5 + confidence / 2) * np.sqrt(variance) / (value * (1 - value))
    logit = np.log(value / (1 - value))
    low, high = 1 / (1 + np.exp(-(logit + np.array([-margin, margin]))))
    return Interval(value, float(low), float(high), "delong")


def _beta_bounds(share: float, trials: int, confidence: float) -> tuple[float, float]:
    tail, hits = (1 - confidence) / 2, share * trials
    low = stats.beta.ppf(tail, hits, trials - hits + 1) if share > 0 else 0.0
    high = stats.beta.ppf(1 - tail, hits + 1, trials - hits) if share < 1 else 1.0
    return float(low), float(high)


def delong_test(
    labels: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    ids: tuple[Sequence[str], Sequence[str]] | None = None,
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

    Returns
    -------
    Comparison
        With zero variance, p is 1 if the AUROCs are equal and 0 otherwise.

    Raises
    ------
    ValueError
        If a class is missing, lengths differ, a score is not finite, or ids are not the same items.
    """
    second = np.atleast_2d(second)
    if ids is not None:
        second = second[:, matching(*ids)]
    parts = zip(_components(labels, first), _components(labels, second), strict=True)
    differences = [a - b for a, b in parts]
    difference, variance = float(differences[0].mean()), _variance((differences[0], differences[1]))
    spread = float(np.sqrt(variance))
    if variance > 0:
        p = float(2 * stats.norm.sf(abs(difference) / spread))
    else:
        p = float("nan") if np.isnan(variance) else float(difference == 0)
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
