"""Our figures beside published ones: a difference is taken on the same data set only."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medad.evaluation.scores import ScoreTable
from medad.experiments.deduplicated import Kept
from medad.experiments.figures import figures, head
from medad.experiments.paper import SETS

Pair = tuple[float, float]
NAMES = dict(zip(SETS, ("RSNA", "VinDr-CXR", "CXAD", "brain_tumor", "LAG"), strict=True))


@dataclass(frozen=True)
class Beside:
    """Columns of AUROC and AP on `dataset`, and of what was published.

    Attributes
    ----------
    dataset : str
        Name of the data set that our scores are of.
    kept : frozenset of str or None
        Ids of its de-duplicated test split, whose figures stand beside those of the whole.
    published_on : str
        One of `SETS`; empty if nothing published is shown.
    """

    dataset: str
    kept: Kept
    published_on: str = ""

    @property
    def same(self) -> bool:
        """Whether the published figures are of the same data set."""
        return self.dataset == self.published_on

    @property
    def head(self) -> list[str]:
        """Names of the columns."""
        published = [f"published ({NAMES[self.published_on]})"] if self.published_on else []
        return [*head(self.kept), "seeds", *published, *(["difference"] if self.same else [])]

    def cells(self, some: Sequence[ScoreTable], score: str, published: float | Pair | None = None) -> list[str]:
        """Return the figures of `score`, a table per seed; empty cells where there is no such score."""
        ours, told = figures(some, score, self.kept), () if published is None else np.atleast_1d(published)
        cells = [figure.in_percent() for figure in ours] or [""] * len(head(self.kept))
        cells.append(str(len(some)) if ours else "")
        cells += [in_percent(published)] if self.published_on else []
        return cells + [" / ".join(f"{100 * o.mean - p:+.1f}" for o, p in zip(ours, told, strict=False))] * self.same

    @property
    def source(self) -> str:
        """Say which data set the published figures are of."""
        if self.same:
            return f"Published on {NAMES[self.published_on]}; a difference is ours minus published."
        if self.published_on:
            return f"Published on {NAMES[self.published_on]}, other images than ours: no difference is taken."
        return f"Published on {', '.join(NAMES.values())}, not on {self.dataset}."


def in_percent(figures: float | Pair | None) -> str:
    """Write published figures."""
    return " / ".join(f"{x:.1f}" for x in np.atleast_1d(figures)) if figures is not None else ""
