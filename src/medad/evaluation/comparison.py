"""Methods compared on the images of one data set: trainings, intervals, and tests of all pairs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy import stats

from medad.evaluation.delong import DUST, matching, paired_variance
from medad.evaluation.estimates import image_figures
from medad.evaluation.figure import Figure
from medad.evaluation.intervals import class_sizes
from medad.evaluation.metric import Metric
from medad.evaluation.metric_list import AP, AUROC, listed
from medad.evaluation.scores import ScoreTable

Tables = Mapping[str, Sequence[ScoreTable]]  # by label, one table per seed
LEVEL = 0.05


@dataclass(frozen=True)
class Row:
    """A method on a data set.

    Attributes
    ----------
    label, score : str
        The method and which of its scores.
    seeds : int
        Number of runs.
    figures : mapping of str to Figure
        By the keys of `medad.evaluation.metric_list`.
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
    figures: Mapping[str, Figure]
    p: float | None = None
    best: bool = False
    lone: bool = False

    @property
    def auroc(self) -> Figure:
        """The AUROC, by which methods are compared."""
        return self.figures[AUROC.key]

    @property
    def ap(self) -> Figure:
        """The average precision."""
        return self.figures[AP.key]

    @property
    def close(self) -> bool:
        """Whether it is not significantly worse than the best, but not the best."""
        return self.p is not None and not self.p <= LEVEL


def compare(tables: Tables, score: str = "pred_score", metrics: Sequence[Metric] | None = None) -> list[Row]:
    """Return a row for each method that has `score`, in the order given.

    A score of several members (``a_rec_1`` …) is the mean of the members' metrics. Of the `metrics`, by default the
    headlines of the list, AUROC is one.

    Raises
    ------
    ValueError
        If the tables have no labels of both classes, or are not of the same images.
    """
    rows = {label: _stacked(some, score, tables) for label, some in tables.items() if score in some[0].rows}
    if not rows:
        return []
    labels, patients = _labels(tables), _reference(tables).patients
    metrics = listed("image", headline=True) if metrics is None else metrics
    every = image_figures(metrics, labels, list(rows.values()), patients, trainings=True)
    found = [Row(label, score, len(tables[label]), figures) for label, figures in zip(rows, every, strict=True)]
    if len(found) == 1:
        return found
    best, p = against_best(labels, list(rows.values()), patients)
    lone = [None in (row.auroc.sd, found[best].auroc.sd) for row in found]
    return [replace(row, best=True) if i == best else replace(row, p=p[i], lone=lone[i]) for i, row in enumerate(found)]


def against_best(
    labels: np.ndarray, methods: Sequence[np.ndarray], patients: Sequence[str] | None = None
) -> tuple[int, list[float]]:
    """Return which method has the highest mean AUROC, and p of each against it (see `adjusted_p`), its own 1.

    Parameters
    ----------
    labels : array_like
        (n,) in {0, 1}, both present.
    methods : sequence of array_like
        (trainings, n) finite scores; at least two methods.
    patients : sequence of str, optional
        (n,) whose each item is, empty where unknown.
    """
    values = [_aurocs(labels, scores) for scores in methods]
    means, chances = [float(v.mean()) for v in values], training_variances(values)
    best, items = int(np.argmax(means)), min(class_sizes(labels, patients)) - 1

    def p(i: int) -> float:
        training = chances.variances[best] + chances.variances[i]
        degrees = min(items, chances.degrees) if training > 0 else items
        variance = paired_variance(labels, methods[best], methods[i], patients) + training
        return adjusted_p(means[best] - means[i], variance, degrees, len(methods))

    return best, [1.0 if i == best else p(i) for i in range(len(methods))]


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


def _aurocs(labels: np.ndarray, row: np.ndarray) -> np.ndarray:
    return np.array([AUROC.value(labels, training) for training in np.atleast_2d(row)])
