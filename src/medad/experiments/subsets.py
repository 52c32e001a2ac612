"""Parts of a table of scores: some of its images, or one kind of abnormality."""

from collections.abc import Collection

import numpy as np

from medad.evaluation.scores import ScoreTable


def restrict(table: ScoreTable, kept: Collection[str]) -> ScoreTable:
    """Return the rows of `table` whose image is among `kept`."""
    wanted = frozenset(kept)
    return table.subset(np.flatnonzero([path in wanted for path in table.image_path]))


def of_kind(table: ScoreTable, kind: str) -> ScoreTable:
    """Return the normal images of `table` and the abnormal ones of one kind."""
    assert table.gt_label is not None and table.kinds is not None
    return table.subset(np.flatnonzero((table.gt_label == 0) | (np.array(table.kinds) == kind)))
