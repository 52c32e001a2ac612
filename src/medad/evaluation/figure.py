"""A figure of several trainings, as tables show it."""

from collections.abc import Callable
from dataclasses import dataclass


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
        """Write a share in per cent: mean ± sd [low, high]."""
        return self.written(lambda share: f"{100 * share:.1f}", plus_minus)

    def written(self, write: Callable[[float], str], plus_minus: str = "±") -> str:
        """Write it so, each number by `write`."""
        sd = "" if self.sd is None else f" {plus_minus} {write(self.sd)}"
        return f"{write(self.mean)}{sd} [{write(self.low)}, {write(self.high)}]"
