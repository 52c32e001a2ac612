"""Methods compared on the images of one data set: trainings, intervals, and tests of all pairs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy import stats

from medad.evaluation.bootstrap import bootstrap_draws
from medad.evaluation.curves import average_precision_of_counts
from medad.evaluation.delong import DUST, matching, paired_variance
from medad.evaluation.intervals import Ends, ap_interval, auroc_interval, class_sizes, training_margin
from medad.evaluation.metrics import auroc, average_precision
from medad.evaluation.scores import ScoreTable

Metric = Callable[[np.ndarray, np.ndarray], float]
Tables = Mapping[str, Sequence[ScoreTable]]  # by label, one table per seed
LEVEL = 0.05


@dataclass(frozen=True)
class Figure:
    """A metric: its mean over trainings, their sample standard deviation (None for one), and a 95 % interval.

    Of several trainings the interval is that of the mean over all trainings and images that there might be: it holds
    the chance in both. Of one training it holds the choice of images only, of patients as a whole where they are
    known. Members of a score (``a_rec_1`` …), networks that were each trained alone, are trainings.
    """

    mean: float
    sd: float | None
    low: float
    high: float

    def in_percent(self, plus_minus: str = "±") -> str:
        """Write it in per cent: mean ± sd [low, high]."""
        sd = "" if self.sd is None else f" {plus_minus} {100 * self.sd:.1f}"
        return f"{100 * self.mean:.1f}{sd} [{100 * self.low:.1f}, {100 * self.high:.1f}]"


@dataclass(frozen=True)
class Row:
    """A method on a data set.

    Attributes
    ----------
    label, score : str
        The method and which of its scores.
    seeds : int
        Number of runs.
    auroc, ap : Figure
        In [0, 1].
    p : float or None
        Of the difference of the mean AUROC to the best method's, adjusted for all pairs of methods, so that picking
        the best needs no pardon (`adjusted_p`). None for the best, NaN where a class is too small.
    best : bool
        Whether it has the highest mean AUROC of several methods.
    lone : bool
        Whether p speaks of single trainings, because this method or the best was trained once: not of the methods.
    """

    label: str
    score: str
    seeds: int
    auroc: Figure
    ap: Figure
    p: float | None = None
    best: bool = False
    lone: bool = False

    @property
    def close(self) -> bool:
        """Whether it is not significantly worse than the best, but not the best."""
        return self.p is not None and not self.p <= LEVEL


def compare(tables: Tables, score: str = "pred_score") -> list[Row]:
    """Return a row for each method that has `score`, in the order given.

    A score of several members (``a_rec_1`` …) is the mean of the members' metrics.

    Raises
    ------
    ValueError
        If the tables have no labels of both classes, or are not of the same images.
    """
    rows = {label: _stacked(some, score, tables) for label, some in tables.items() if score in some[0].rows}
    if not rows:
        return []
    labels, patients = _labels(tables), _reference(tables).patients
    draws = bootstrap_draws(labels, list(rows.values()), [average_precision_of_counts], patients=patients)
    found = [
        Row(label, score, len(tables[label]), _auroc(labels, row, patients), _ap(labels, row, patients, float(sd)))
        for (label, row), sd in zip(rows.items(), draws[:, 0].std(axis=1, ddof=1), strict=True)
    ]
    if len(found) == 1:
        return found
    best = max(found, key=lambda row: row.auroc.mean)
    chances = training_variances([_values(auroc, labels, row) for row in rows.values()])
    spreads = dict(zip(rows, chances.variances, strict=True))

    def against_best(row: Row) -> Row:
        images = paired_variance(labels, rows[best.label], rows[row.label], patients)
        training = spreads[best.label] + spreads[row.label]
        degrees = min(class_sizes(labels, patients)) - 1
        degrees = min(degrees, chances.degrees) if training > 0 else degrees
        p = adjusted_p(best.auroc.mean - row.auroc.mean, images + training, degrees, len(found))
        return replace(row, p=p, lone=None in (row.auroc.sd, best.auroc.sd))

    return [replace(row, best=True) if row is best else against_best(row) for row in found]


class Chances(NamedTuple):
    """Variances of means over trainings, one a method, and the degrees of freedom of all."""

    variances: list[float]
    degrees: int


def training_variances(values: Sequence[np.ndarray]) -> Chances:
    """Return for each method the variance of its mean over trainings.

    The methods of a table lend each other their spread, because a few trainings may be alike by chance: where the
    variance pooled over all methods is larger than a method's own it is taken. Of a method that was trained once none
    is known: 0.

    Parameters
    ----------
    values : sequence of ndarray
        A metric by training, (trainings,) for each method.
    """
    several = [v for v in values if len(v) > 1]
    degrees = sum(len(v) - 1 for v in several)
    pooled = sum((len(v) - 1) * v.var(ddof=1) for v in several) / max(degrees, 1)
    return Chances([max(v.var(ddof=1), pooled) / len(v) if len(v) > 1 else 0.0 for v in values], degrees)


def adjusted_p(difference: float, variance: float, degrees: float, methods: int) -> float:
    """Return two-sided p of a difference of two of so many methods, adjusted for all pairs of them.

    Student's test, and Šidák's correction for k (k - 1) / 2 pairs: without it, picking the best on the images on which
    it is compared makes equal methods differ. How often they still do is in ``docs/results/coverage.md``.

    Parameters
    ----------
    difference : float
        Of two means over trainings.
    variance : float
        Its variance: DeLong's, paired, for the choice of images, and that of `training_variances` for both methods.
    degrees : float
        Degrees of freedom: of the trainings where there are several, which are fewer than those of the images.
    methods : int
        k, at least 2.

    Returns
    -------
    float
        NaN where the variance is zero, or undefined because a class has items of one patient only; but 1 where the
        difference is zero, too.
    """
    if not variance > DUST**2:
        return 1.0 if variance <= DUST**2 and abs(difference) < DUST else float("nan")
    p = 2 * stats.t.sf(abs(difference) / np.sqrt(variance), degrees)
    return float(-np.expm1(methods * (methods - 1) // 2 * np.log1p(-min(p, 1 - 1e-12))))


def score_names(tables: Tables) -> list[str]:
    """Return the scores that any of the methods has, ``pred_score`` first."""
    names = dict.fromkeys(name for some in tables.values() for name in some[0].rows)
    return sorted(names, key=lambda name: name != "pred_score")


def _reference(tables: Tables) -> ScoreTable:
    return next(iter(tables.values()))[0]


def _labels(tables: Tables) -> np.ndarray:
    labels = _reference(tables).gt_label
    if labels is None:
        raise ValueError("methods can be compared on labelled images only")
    return np.asarray(labels)


def _stacked(some: Sequence[ScoreTable], score: str, tables: Tables) -> np.ndarray:
    """Return (seeds x members, images), the images in the order of the first table of all."""
    names = _reference(tables).image_path
    return np.concatenate([table.rows[score][:, matching(names, table.image_path)] for table in some])


def _values(metric: Metric, labels: np.ndarray, row: np.ndarray) -> np.ndarray:
    return np.array([metric(labels, training) for training in np.atleast_2d(row)])


def _auroc(labels: np.ndarray, row: np.ndarray, patients: Sequence[str] | None) -> Figure:
    values = _values(auroc, labels, row)
    return _figure(values, auroc_interval(labels, row, patients, training_margin(values)))


def _ap(labels: np.ndarray, row: np.ndarray, patients: Sequence[str] | None, sd: float) -> Figure:
    values = _values(average_precision, labels, row)
    return _figure(values, ap_interval(float(values.mean()), sd, labels, row, patients, training_margin(values)))


def _figure(values: np.ndarray, ends: Ends) -> Figure:
    sd = float(values.std(ddof=1)) if len(values) > 1 else None
    return Figure(float(values.mean()), sd, *ends)
