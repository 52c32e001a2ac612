"""AUROC and AP of a score, on the whole test set and on its de-duplicated part: the columns that pages share."""

from collections.abc import Sequence

import numpy as np

from medad.evaluation.comparison import Figure, compare
from medad.evaluation.metrics import auroc
from medad.evaluation.scores import ScoreTable
from medad.experiments.deduplicated import Kept
from medad.experiments.subsets import restrict

WRITTEN = (  # how figures are written
    "mean over trainings ± their standard deviation where there are several; in brackets the 95 % interval, of several "
    "trainings with the chance in training and in the choice of images, of one training in that of images only"
)


def head(kept: Kept) -> list[str]:
    """Return the names of the columns of `figures`."""
    return ["AUROC", "AP", *(["AUROC, de-duplicated", "AP, de-duplicated"] if kept else [])]


def figures(some: Sequence[ScoreTable], score: str, kept: Kept) -> list[Figure]:
    """Return AUROC and AP of a score, and both again on the `kept` images if they are known.

    Parameters
    ----------
    some : sequence of ScoreTable
        A table per training, of the same images.
    score : str
        Which score; the list is empty where there is none.
    kept : frozenset of str or None
        Ids of the images of the de-duplicated split.
    """
    parts = [some, [restrict(table, kept) for table in some]] if kept else [some]
    rows = [row for part in parts for row in compare({"": part}, score)]
    return [figure for row in rows for figure in (row.auroc, row.ap)]


def cells(some: Sequence[ScoreTable], score: str, kept: Kept) -> list[str]:
    """Return the `figures` as they are printed, below `head`; empty cells where there is no such score."""
    return [figure.in_percent() for figure in figures(some, score, kept)] or [""] * len(head(kept))


def auroc_in_percent(labels: np.ndarray | None, *members: np.ndarray) -> str:
    """Return the mean AUROC of some scores in %, without an interval."""
    assert labels is not None
    return f"{100 * float(np.mean([auroc(labels, member) for member in members])):.1f}"
