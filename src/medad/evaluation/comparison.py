"""Methods compared on the images of one data set: seeds, intervals, and tests against the best."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from medad.evaluation.bootstrap import units
from medad.evaluation.curves import auroc_of_counts, average_precision_of_counts
from medad.evaluation.delong import delong_test, matching
from medad.evaluation.metrics import auroc, average_precision
from medad.evaluation.ranks import holm
from medad.evaluation.scores import ScoreTable
from medad.evaluation.statistics import paired_bootstrap, stratified_bootstrap

Metric = Callable[[np.ndarray, np.ndarray], float]
Tables = Mapping[str, Sequence[ScoreTable]]  # by label, one table per seed


@dataclass(frozen=True)
class Figure:
    """A metric: its mean over seeds, their sample standard deviation (None for one), and the mean's 95 % interval.

    The interval is a bootstrap of the images, of patients as a whole where they are known, the same draws for all
    seeds and methods: it says how the mean depends on the choice of images; the standard deviation how a training
    depends on its seed.
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
        Number of trainings.
    auroc, ap : Figure
        In [0, 1].
    p : float or None
        Of the paired test of the mean AUROC against the best method's, Holm-corrected over all methods of the data
        set: DeLong's, or where a patient has several images, which are not independent, the bootstrap of patients.
        None for the best, NaN where a class has one image only.
    best : bool
        Whether it has the highest mean AUROC of several methods.
    """

    label: str
    score: str
    seeds: int
    auroc: Figure
    ap: Figure
    p: float | None = None
    best: bool = False

    @property
    def close(self) -> bool:
        """Whether it is not significantly worse than the best at 5 %, but not the best."""
        return self.p is not None and not self.p <= 0.05


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
    of_counts = [auroc_of_counts, average_precision_of_counts]
    ends = stratified_bootstrap(labels, list(rows.values()), of_counts, patients=patients)
    found = []
    for (label, row), (of_auroc, of_ap) in zip(rows.items(), ends, strict=True):
        seeds = len(tables[label])
        figures = _figure(auroc, labels, row, seeds, of_auroc), _figure(average_precision, labels, row, seeds, of_ap)
        found.append(Row(label, score, seeds, *figures))
    best = max(found, key=lambda row: row.auroc.mean).label
    others = [label for label in rows if label != best]
    p = dict(zip(others, holm([_p(labels, rows[best], rows[label], patients) for label in others]), strict=True))
    return [
        replace(row, best=len(found) > 1) if row.label == best else replace(row, p=float(p[row.label])) for row in found
    ]


def _p(labels: np.ndarray, first: np.ndarray, second: np.ndarray, patients: Sequence[str] | None) -> float:
    """Return p of the difference of two mean AUROCs."""
    if patients is None or len(set(units(patients))) == len(patients):
        return delong_test(labels, first, second).p
    return paired_bootstrap(labels, first, second, auroc_of_counts, patients=patients).p


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


def _figure(metric: Metric, labels: np.ndarray, row: np.ndarray, seeds: int, ends: np.ndarray) -> Figure:
    values = np.array([metric(labels, member) for member in row]).reshape(seeds, -1).mean(axis=1)
    sd = float(values.std(ddof=1)) if seeds > 1 else None
    return Figure(float(values.mean()), sd, float(ends[0]), float(ends[1]))
