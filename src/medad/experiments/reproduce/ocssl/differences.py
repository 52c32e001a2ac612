"""Two rows of the table on the same images: the difference of their AUROCs, and whether it may be chance."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medad.evaluation.comparison import adjusted_p, training_variances
from medad.evaluation.delong import matching, paired_variance
from medad.evaluation.intervals import class_sizes
from medad.evaluation.metrics import auroc
from medad.evaluation.scores import ScoreTable

LEVEL = 0.05


@dataclass(frozen=True)
class Difference:
    """Of two mean AUROCs, in points, and p, adjusted for all pairs of the rows of a column."""

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

    DeLong's paired test for the choice of images (patients as a whole), the trainings' variance added, see
    :func:`medad.evaluation.comparison.adjusted_p`.

    Parameters
    ----------
    first, second : sequence of ScoreTable
        A table for each training, of the same images.
    rows : int
        Number of rows that are compared.
    """
    names, labels, patients = first[0].image_path, np.asarray(first[0].gt_label), first[0].patients
    scores = [_stacked(some, names) for some in (first, second)]
    values = [np.array([auroc(labels, one) for one in part]) for part in scores]
    chances = training_variances(values)
    chance = sum(chances.variances)
    items = min(class_sizes(labels, patients)) - 1
    variance = paired_variance(labels, scores[0], scores[1], patients) + chance
    gap = float(values[0].mean() - values[1].mean())
    return Difference(100 * gap, adjusted_p(gap, variance, min(items, chances.degrees) if chance > 0 else items, rows))


def _stacked(some: Sequence[ScoreTable], names: tuple[str, ...]) -> np.ndarray:
    return np.stack([table.columns["pred_score"][matching(names, table.image_path)] for table in some])
