"""Two rows of the table on the same images: the difference of their AUROCs, and whether it may be chance."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from medad.evaluation.delong import DUST, matching, paired_variance
from medad.evaluation.intervals import class_sizes
from medad.evaluation.metrics import auroc
from medad.evaluation.scores import ScoreTable

LEVEL = 0.05


@dataclass(frozen=True)
class Difference:
    """Of two mean AUROCs, in points, and p, adjusted for the number of rows that are held against the same one."""

    points: float
    p: float

    @property
    def clear(self) -> bool:
        """Whether it is more than chance."""
        return self.p <= LEVEL

    def __str__(self) -> str:
        """Write it as tables do: with a star where it is more than chance."""
        return f"{self.points:+.1f}{'*' if self.clear else ''}"


def difference(first: Sequence[ScoreTable], second: Sequence[ScoreTable], rows: int) -> Difference:
    """Return the first mean AUROC less the second.

    Student's test: DeLong's paired variance for the choice of images (patients as a whole) plus the variances of both
    means over trainings, with Welch's and Satterthwaite's degrees of freedom, and Šidák's adjustment. Of a row that
    was trained once the chance in training is not known: p then speaks of this training.

    Parameters
    ----------
    first, second : sequence of ScoreTable
        A table for each training, of the same images.
    rows : int
        Number of rows that are held against the second.
    """
    names, labels, patients = first[0].image_path, np.asarray(first[0].gt_label), first[0].patients
    scores = [_stacked(some, names) for some in (first, second)]
    values = [np.array([auroc(labels, one) for one in part]) for part in scores]
    gap = float(values[0].mean() - values[1].mean())
    parts = [(paired_variance(labels, scores[0], scores[1], patients), min(class_sizes(labels, patients)) - 1)]
    parts += [(float(v.var(ddof=1)) / len(v), len(v) - 1) for v in values if len(v) > 1]
    return Difference(100 * gap, _p(gap, parts, rows))


def _p(gap: float, parts: Sequence[tuple[float, int]], tests: int) -> float:
    """Return two-sided p of a difference whose variance is a sum of parts, each with its degrees of freedom."""
    variance = sum(part for part, _ in parts)
    if variance < DUST**2:
        return 1.0 if abs(gap) < DUST else 0.0
    degrees = variance**2 / sum(part**2 / free for part, free in parts)
    p = 2 * stats.t.sf(abs(gap) / np.sqrt(variance), degrees)
    return float(-np.expm1(tests * np.log1p(-min(p, 1 - 1e-12))))


def _stacked(some: Sequence[ScoreTable], names: tuple[str, ...]) -> np.ndarray:
    return np.stack([table.columns["pred_score"][matching(names, table.image_path)] for table in some])
