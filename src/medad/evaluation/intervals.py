"""Confidence intervals that hold in small samples, too; how often they do is in ``docs/results/coverage.md``.

Where a figure also depends on the chance in training, the half width that this alone would give (`training_margin`)
is added in quadrature to that of the choice of images. All bounds lie in [0, 1].
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy import optimize, special, stats

from medad.evaluation.delong import delong_variance
from medad.evaluation.units import units

Ends = tuple[float, float]
FEW = 30  # items of a class below which a page says that there are few
GUARDED = 100  # items of a class below which the bootstrap of AP is not trusted alone


def quantile(degrees: float, confidence: float = 0.95) -> float:
    """Return the two-sided quantile of Student's distribution, of the normal one for infinite degrees of freedom."""
    return float(stats.t.ppf(0.5 + confidence / 2, degrees))


def class_sizes(labels: np.ndarray, patients: Sequence[str] | None = None) -> tuple[int, int]:
    """Return how many abnormal and how many normal items there are; a patient counts once."""
    abnormal, names = np.asarray(labels, dtype=bool), np.array(units(patients, len(labels)))
    return len(np.unique(names[abnormal])), len(np.unique(names[~abnormal]))


def hanley_mcneil(auroc: float, first: int, second: int) -> float:
    """Return the variance of an AUROC between exponential distributions (Hanley & McNeil, Radiology 1982).

    Its two classes are not alike: of the two ways to assign them the larger variance is taken.
    """

    def variance(abnormal: int, normal: int) -> float:
        q1, q2 = auroc / (2 - auroc), 2 * auroc**2 / (1 + auroc)
        spread = auroc * (1 - auroc) + (abnormal - 1) * (q1 - auroc**2) + (normal - 1) * (q2 - auroc**2)
        return spread / (abnormal * normal)

    return max(variance(first, second), variance(second, first))


def auroc_interval(
    labels: np.ndarray,
    scores: np.ndarray,
    patients: Sequence[str] | None = None,
    training: float = 0.0,
) -> Ends:
    """Return the 95 % interval of the AUROC.

    A score interval in the manner of Newcombe (Statistics in Medicine 2006): it holds every t with
    (AUROC - t)^2 <= z^2 V(t), so it neither collapses where the classes are separated nor leaves [0, 1]. V is Hanley's
    and McNeil's variance, in which a patient counts once, enlarged in proportion where DeLong's, or the margin with the
    chance in training, is larger at the AUROC itself.

    Parameters
    ----------
    labels : array_like
        (n,) in {0, 1}, both present.
    scores : array_like
        (n,) finite scores, or (members, n): then of the mean of the members' AUROCs.
    patients : sequence of str, optional
        (n,) whose each item is, empty where unknown.
    training : float
        Half width from the chance in training, see `training_margin`.

    Raises
    ------
    ValueError
        If a class is missing, lengths differ, or a score is not finite.
    """
    z = quantile(np.inf)
    measured = np.nan_to_num(delong_variance(labels, scores, patients)) + (training / z) ** 2
    value, (abnormal, normal) = mean_auroc(labels, scores), class_sizes(labels, patients)
    inside = np.clip(value, 0.5 / (abnormal * normal), 1 - 0.5 / (abnormal * normal))
    larger = max(measured / hanley_mcneil(inside, abnormal, normal), 1)

    def excess(t: float) -> float:
        return (value - t) ** 2 - z**2 * larger * hanley_mcneil(t, abnormal, normal)

    return _root(excess, 0.0, value), _root(excess, 1.0, value)


def mean_auroc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Return the AUROC, the mean over members of (members, n) scores."""
    abnormal = np.asarray(labels, dtype=bool)
    count = int(abnormal.sum())
    ranks = stats.rankdata(np.atleast_2d(scores), axis=1)[:, abnormal].sum(axis=1)
    return float(((ranks - count * (count + 1) / 2) / (count * (~abnormal).sum())).mean())


def _root(excess: Callable[[float], float], end: float, value: float) -> float:
    """Return where `excess`, positive at the `end` of [0, 1] and negative beside `value`, is zero."""
    beside, beyond = value + 1e-9 * (end - value), end + 1e-9 * (value - end)
    if abs(end - value) < 1e-9:
        return end
    return float(optimize.brentq(excess, beyond, beside)) if excess(beyond) > 0 else end


def training_margin(values: np.ndarray) -> float:
    """Return half the width of the 95 % interval of the mean over (trainings,) values; 0 for one: it is not known."""
    if len(values) < 2:
        return 0.0
    return float(quantile(len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))


def spread_interval(value: float, sd: float, items: int, training: float = 0.0) -> Ends:
    """Return the 95 % interval of a share from the standard deviation of its bootstrap, symmetric on the logit scale.

    The deviation is enlarged by sqrt(n / (n - 1)) and multiplied by Student's quantile for n - 1 degrees of freedom.
    A share of 0 or 1, or one that no draw changes, has the bounds of Clopper and Pearson for n trials.

    Parameters
    ----------
    value : float
        In [0, 1].
    sd : float
        Standard deviation over draws of a bootstrap of items.
    items : int
        n, the size of the smaller class; a patient counts once.
    training : float
        See `auroc_interval`.
    """
    rest = max(items - 1, 1)
    margin = np.hypot(quantile(rest) * sd * np.sqrt(items / rest), training)
    if not (margin > 0 and 0 < value < 1):
        return clopper_pearson(value, items)
    low, high = special.expit(special.logit(value) + np.array([-margin, margin]) / (value * (1 - value)))
    return float(low), float(high)


def clopper_pearson(share: float, trials: float, confidence: float = 0.95) -> Ends:
    """Return the exact interval of a `share` of hits among so many `trials`, which need not be whole numbers."""
    tail, hits = (1 - confidence) / 2, share * trials
    low = stats.beta.ppf(tail, hits, trials - hits + 1) if share > 0 else 0.0
    high = stats.beta.ppf(1 - tail, hits + 1, trials - hits) if share < 1 else 1.0
    return float(low), float(high)


def proportion_interval(hits: np.ndarray, patients: Sequence[str] | None = None) -> Ends:
    """Return the exact 95 % interval of the share of hits.

    Where patients have several items, for as many trials as have the variance of the patients' shares, and for one
    trial a patient where that is zero (Korn & Graubard, Survey Methodology 1998).

    Parameters
    ----------
    hits : array_like
        (n,) ``bool``.
    patients : sequence of str, optional
        (n,) whose each item is, empty where unknown.
    """
    hits = np.asarray(hits, dtype=np.float64)
    share, unit = float(hits.mean()), np.unique(units(patients, len(hits)), return_inverse=True)[1]
    count = unit.max() + 1
    if count == len(hits):
        return clopper_pearson(share, len(hits))
    variance = (np.bincount(unit, hits - share) ** 2).sum() / len(hits) ** 2 * count / max(count - 1, 1)
    trials = share * (1 - share) / variance if variance > 0 else float(count)
    return clopper_pearson(share, min(max(trials, 1.0), len(hits)))


def ap_interval(
    value: float,
    sd: float,
    labels: np.ndarray,
    scores: np.ndarray,
    patients: Sequence[str] | None = None,
    training: float = 0.0,
) -> Ends:
    """Return the 95 % interval of the average precision from the standard deviation of its bootstrap.

    `spread_interval`; where a class has fewer than `GUARDED` items, on either side at least as wide as what the
    interval of the AUROC amounts to between two normal distributions: the bootstrap of few items varies too little.

    Parameters
    ----------
    value, sd : float
        The average precision, its mean over members, and the standard deviation over draws.
    labels, scores, patients, training
        See `auroc_interval`.
    """
    sizes, share = class_sizes(labels, patients), float(np.mean(labels))
    low, high = spread_interval(value, sd, min(sizes), training)
    if min(sizes) >= GUARDED:
        return low, high
    if not (sd > 0 and 0 < value < 1):
        low = high = value
    ends = auroc_interval(labels, scores, patients, training)
    below, middle, above = (binormal_ap(a, share) for a in (ends[0], mean_auroc(labels, scores), ends[1]))
    return max(min(low, value - (middle - below)), 0.0), min(max(high, value + above - middle), 1.0)


def binormal_ap(auroc: float, share: float) -> float:
    """Return the average precision of two normal distributions of equal variance with this AUROC.

    Parameters
    ----------
    auroc : float
        In [0, 1].
    share : float
        Of abnormal items, in (0, 1).
    """
    distance = np.sqrt(2) * special.ndtri(np.clip(auroc, 1e-9, 1 - 1e-9))
    thresholds = np.linspace(-9, 9, 2001) + distance
    found, false = share * special.ndtr(distance - thresholds), (1 - share) * special.ndtr(-thresholds)
    return float(np.trapezoid(found / (found + false) * stats.norm.pdf(thresholds - distance), thresholds))


def few_words(normal: int, abnormal: int) -> str:
    """Return what a page says where a class has fewer than `FEW` items, otherwise nothing."""
    if min(normal, abnormal) >= FEW:
        return ""
    return (
        f"Only {normal} normal and {abnormal} abnormal test images: the intervals are wide, and with fewer than {FEW} "
        "of a class no more than approximate. Collect more before anything rests on these figures."
    )
