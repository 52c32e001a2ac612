"""Methods compared over data sets: Wilcoxon, Friedman with Nemenyi, and Holm's correction (Demšar, JMLR 2006)."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from math import factorial
from typing import NamedTuple

import numpy as np
from scipy import stats

EXACT = 25  # pairs without ties up to which Wilcoxon's distribution is taken exactly
PERMUTED = 13  # the same with ties: 2^13 signs


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


def wilcoxon(first: Sequence[float], second: Sequence[float]) -> SignedRank:
    """Compare two methods over data sets; pairs that are equal are dropped.

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
    differences = differences[differences != 0]
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
        Friedman's statistic and its p.
    f, f_p : float
        Iman's and Davenport's correction of it. Where all data sets rank the methods alike F is infinite, and its p
        the chance of that, 1 / k! for every data set but one.
    p : ndarray
        (k, k) Nemenyi's p for each pair of methods.
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
    ranks = stats.rankdata(-values, axis=1).mean(axis=0)
    chi2 = 12 * sets / (methods * (methods + 1)) * ((ranks**2).sum() - methods * (methods + 1) ** 2 / 4)
    rest = sets * (methods - 1) - chi2
    alike = rest < 1e-9
    f = np.inf if alike else (sets - 1) * chi2 / rest
    f_p = factorial(methods) ** (1.0 - sets) if alike else stats.f.sf(f, methods - 1, (methods - 1) * (sets - 1))
    unit = np.sqrt(methods * (methods + 1) / (6 * sets))
    studentised = stats.studentized_range(methods, np.inf)
    return RankComparison(
        mean_ranks=ranks,
        chi2=float(chi2),
        chi2_p=float(stats.chi2.sf(chi2, methods - 1)),
        f=float(f),
        f_p=float(f_p),
        p=studentised.sf(np.abs(ranks[:, None] - ranks) / unit * np.sqrt(2)),
        critical_difference=float(studentised.ppf(1 - alpha) / np.sqrt(2) * unit),
    )
