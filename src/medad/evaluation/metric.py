"""What a metric says of itself: a row of `medad.evaluation.metric_list`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from medad.evaluation.intervals import Ends

UNKNOWN = float("nan")
Level = Literal["image", "decision", "pixel"]


@dataclass(frozen=True)
class Estimate:
    """A figure that needs an interval.

    Attributes
    ----------
    value : float
        The figure: the mean over members.
    truth, scores : ndarray
        Of images (n,) labels and (members, n) scores; of decisions (n,) labels and what they are called, 0 or 1; of
        pixels (n, H, W) masks and maps.
    patients : sequence of str or None
        (n,) whose each image is, empty where unknown.
    sd : float
        Standard deviation of `Metric.of_counts` over the draws of a bootstrap; NaN for a metric without.
    training : float
        Half width from the chance in training, see `medad.evaluation.intervals.training_margin`.
    """

    value: float
    truth: np.ndarray
    scores: np.ndarray
    patients: Sequence[str] | None = None
    sd: float = UNKNOWN
    training: float = 0.0


@dataclass(frozen=True)
class Metric:
    """A row of the list.

    Attributes
    ----------
    key : str
        In metrics.json; beside it stands the 95 % interval as KEY_ci. Unique within its level.
    name : str
        Head of a column.
    meaning : str
        What it says, for a reader who knows no statistics; follows "NAME: ".
    level : str
        ``"image"``: of the scores of images with labels; ``"decision"``: of what the detector's own threshold calls
        them; ``"pixel"``: of maps and masks, which it needs.
    value : callable
        The figure of ``(labels, scores)``, (n,) each, of ``(labels, called)``, or of ``(masks, maps)``, (n, H, W) each.
    interval : callable
        The 95 % interval of an `Estimate`.
    of_counts : callable, optional
        The figure of counts at thresholds, ``(tp, fp)``, of pixels ``(tp, fp, covered)``, for an interval that needs
        the spread of a bootstrap.
    higher : bool
        Whether higher is better.
    percent : bool
        Whether it is a share, shown in per cent.
    headline : bool
        Whether it also stands where there is room for few: by kind of abnormality, of the controls, on the terminal,
        and in the table of methods.
    """

    key: str
    name: str
    meaning: str
    level: Level
    value: Callable[[np.ndarray, np.ndarray], float]
    interval: Callable[[Estimate], Ends]
    of_counts: Callable[..., np.ndarray] | None = None
    higher: bool = True
    percent: bool = True
    headline: bool = False

    @property
    def ci(self) -> str:
        """Key of the interval."""
        return f"{self.key}_ci"

    @property
    def column(self) -> str:
        """Name of its column in a table of all levels."""
        return self.key if self.level == "image" else f"{self.level}_{self.key}"

    @property
    def heading(self) -> str:
        """Name with the unit."""
        return f"{self.name}, %" if self.percent else self.name

    def written(self, value: float | None) -> str:
        """Write a figure without its unit, a dash for None."""
        if value is None:
            return "–"
        return f"{100 * value:.1f}" if self.percent else f"{value:.2f}"
