"""Methods compared over data sets: Wilcoxon, Friedman with Nemenyi, and Holm's correction (Demšar, JMLR 2006)."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from math import factorial, prod
from typing import NamedTuple

import numpy as np
from scipy import stats

EXACT = 25  # pairs without ties up to which Wilcoxon's distribution is taken exactly
PERMUTED = 13  # the same with ties: 2^13 signs
DUST = 1e-12  # of the largest value: what rounding errors can amount to


class SignedRank(NamedTuple):
    """Outcome of Wilcoxon's signed-rank test.

    Attributes
    ----------
    statistic : float
        The smaller of the two sums of ranks.
    p : float
        Two-sided.
    pairs : int
        Pairs that differ.
    smallest_p : float
        The smallest p that so many pairs can give.
    exact : bool
        Whether p is exact rather than from the normal approximation.
    """

    statistic: float
    p: float
    pairs: int
    smallest_p: float
    exact: bool

    @property
    def note(self) -> str:
        """Return a warning if no outcome of so few pairs is significant at 5 %, otherwise nothing."""
        if self.smallest_p <= 0.05:
            return ""
        return f"{self.pairs} pairs: the smallest possible p is {self.smallest_p:.4g}, so nothing is significant at 5 %"


def without_dust(values: np.ndarray, scale: float) -> np.ndarray:
    """Make equal what only rounding errors tell apart, such as 0.1 + 0.2 and 0.3.

    Values in sorted order whose steps are at most 1e-12 of `scale` count as one value, the lowest of them.

    Parameters
    ----------
    values : ndarray
        Of any shape, finite, ``float64``.
    scale : float
        The largest magnitude of the data that `values` were computed from.

    Returns
    -------
    ndarray
        As `values`.
    """
    order = np.argsort(values, axis=None)
    ranked = values.ravel()[order]
    first = np.diff(ranked, prepend=-np.inf) > DUST * scale
    result = np.empty_like(ranked)
    result[order] = ranked[first][np.cumsum(first) - 1]
    return result.reshape(values.shape)


def wilcoxon(first: Sequence[float], second: Sequence[float]) -> SignedRank:
    """Compare two methods over data sets; pairs that are equal are dropped.

    Differences are equal, or zero, if no more than rounding errors of the values tell them apart (`without_dust`).

    Parameters
    ----------
    first, second : sequence of float
        One value per data set.

    Raises
    ------
    ValueError
        If lengths differ or a value is not finite.
    """
    differences = np.subtract(first, second, dtype=np.float64)
    if np.shape(first) != np.shape(second) or not np.isfinite(differences).all():
        raise ValueError("two lists of finite values of one length are needed")
    sizes = without_dust(np.append(np.abs(differences), 0), np.abs([first, second]).max(initial=0))[:-1]
    differences = (np.sign(differences) * sizes)[sizes != 0]
    pairs = len(differences)
    if not pairs:
        return SignedRank(0.0, 1.0, 0, 1.0, True)
    ties = len(np.unique(np.abs(differences))) < pairs
    exact = pairs <= (PERMUTED if ties else EXACT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the normal approximation, which `exact` tells
        found = stats.wilcoxon(differences, method=_method(exact, ties))
    return SignedRank(float(found.statistic), float(found.pvalue), pairs, 2.0 ** (1 - pairs), exact)


def _method(exact: bool, ties: bool) -> str | stats.PermutationMethod:
    if not exact:
        return "approx"
    return stats.PermutationMethod(n_resamples=2**PERMUTED) if ties else "exact"


def holm(p_values: Sequence[float]) -> np.ndarray:
    """Return Holm's adjusted p-values, in the order given: rejecting those <= a keeps the family-wise error at a.

    NaN, a test that could not be made, stays NaN and does not count.

    Raises
    ------
    ValueError
        If a value is not within [0, 1].
    """
    p = np.asarray(p_values, dtype=np.float64)
    tested = np.flatnonzero(~np.isnan(p))
    if not ((p[tested] >= 0) & (p[tested] <= 1)).all():
        raise ValueError("p-values lie between 0 and 1")
    order = tested[np.argsort(p[tested], kind="stable")]
    adjusted = np.maximum.accumulate((len(order) - np.arange(len(order))) * p[order])
    result = np.full_like(p, np.nan)
    result[order] = np.minimum(adjusted, 1)
    return result


@dataclass(frozen=True)
class RankComparison:
    """Many methods over many data sets.

    Attributes
    ----------
    mean_ranks : ndarray
        (k,) 1 is the best.
    chi2, chi2_p : float
        Friedman's statistic, corrected for ties, and its p.
    f, f_p : float
        Iman's and Davenport's correction of it. Where all data sets rank the methods alike F is infinite, and its p
        the chance of that: for every data set but one, 1 / k!, or with ties 1 / the number of different orders of
        such ranks. Where all methods are tied everywhere chi2 and F are 0, and p is 1.
    p : ndarray
        (k, k) Nemenyi's p for each pair of methods; ties make it too large rather than too small.
    critical_difference : float
        Mean ranks that differ by at least this are significantly different.
    """

    mean_ranks: np.ndarray
    chi2: float
    chi2_p: float
    f: float
    f_p: float
    p: np.ndarray
    critical_difference: float

    @property
    def groups(self) -> list[list[int]]:
        """Maximal groups of two and more methods of which no two differ, best first: bars of the diagram."""
        order = [int(i) for i in np.argsort(self.mean_ranks, kind="stable")]
        found: list[list[int]] = []
        for start, first in enumerate(order):
            close = [i for i in order[start:] if self.mean_ranks[i] - self.mean_ranks[first] < self.critical_difference]
            if len(close) > 1 and not (found and set(close) <= set(found[-1])):
                found.append(close)
        return found


def friedman_nemenyi(values: np.ndarray, alpha: float = 0.05) -> RankComparison:
    """Compare k methods over N data sets.

    Ranks are tied if no more than rounding errors of the values tell them apart (`without_dust`).

    Parameters
    ----------
    values : array_like
        (N, k), higher is better.
    alpha : float
        Level of the critical difference.

    Raises
    ------
    ValueError
        For fewer than two data sets or methods, or a value that is not finite.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 2 or min(values.shape) < 2 or not np.isfinite(values).all():
        raise ValueError("finite values of at least two data sets and two methods are needed, (sets, methods)")
    sets, methods = values.shape
    table = stats.rankdata(-without_dust(values, np.abs(values).max()), axis=1)
    ranks = table.mean(axis=0)
    between, within = sets * ((ranks - (methods + 1) / 2) ** 2).sum(), ((table - ranks) ** 2).sum()
    chi2 = sets * (methods - 1) * between / (between + within) if between else 0.0
    f, f_p = _iman_davenport(table, between, within)
    unit = np.sqrt(methods * (methods + 1) / (6 * sets))
    studentised = stats.studentized_range(methods, np.inf)
    return RankComparison(
        mean_ranks=ranks,
        chi2=float(chi2),
        chi2_p=float(stats.chi2.sf(chi2, methods - 1)),
        f=f,
        f_p=f_p,
        p=studentised.sf(np.abs(ranks[:, None] - ranks) / unit * np.sqrt(2)),
        critical_difference=float(studentised.ppf(1 - alpha) / np.sqrt(2) * unit),
    )


def _iman_davenport(table: np.ndarray, between: float, within: float) -> tuple[float, float]:
    """Return F and its p of (sets, methods) ranks and their sums of squares between methods and within them."""
    sets, methods = table.shape
    if (table == table[0]).all():
        orders = factorial(methods) / prod(factorial(int(ties)) for ties in np.unique(table[0], return_counts=True)[1])
        return (float("inf") if orders > 1 else 0.0), orders ** (1.0 - sets)
    f = (sets - 1) * between / within
    return float(f), float(stats.f.sf(f, methods - 1, (methods - 1) * (sets - 1)))
