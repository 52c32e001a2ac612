"""What a run came to: the facts that the opening of its report puts into words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from medad.detectors.contract.detector import SPECIFICITY
from medad.evaluation.calibration import promised_specificity
from medad.evaluation.intervals import FEW
from medad.evaluation.metric_list import AUROC
from medad.evaluation.metric_list import SPECIFICITY as MEASURED_SPECIFICITY

NEEDED = round(SPECIFICITY / (1 - SPECIFICITY))  # held-out normal images that it takes to promise SPECIFICITY


@dataclass(frozen=True)
class Outcome:
    """Facts of a run and of the images that it scored.

    Attributes
    ----------
    metrics : mapping
        What `medad.evaluation.summary.summarise` returned; older ones, with fewer figures, too.
    score : str
        Name of the score that the detector decides by.
    counts : mapping
        By split the numbers of images: ``images``, and, where the run tells, how many normal ones were ``trained``
        on and ``held_out`` and how many unlabeled ones ``used``.
    threshold : float or None
        An image is called abnormal from this score on.
    flagged : int
        Images that are.
    """

    metrics: Mapping
    score: str
    counts: Mapping[str, Mapping[str, int]]
    threshold: float | None = None
    flagged: int = 0

    @property
    def images(self) -> int:
        """Number of images scored."""
        return self.metrics["n"].get("unlabelled") or sum(self.classes.values())

    @property
    def classes(self) -> dict[str, int]:
        """Numbers of ``normal`` and ``abnormal`` images; empty without labels."""
        return {name: n for name, n in self.metrics["n"].items() if name in ("normal", "abnormal")}

    @property
    def own(self) -> Mapping:
        """Figures of the score that the detector decides by; empty where they are undefined."""
        figures = self.metrics["image"].get("pred_score", {})
        return {} if figures.get(AUROC.key) is None else figures

    @property
    def smallest(self) -> int:
        """Number of images of the smaller class that is there; 0 without labels."""
        return min((n for n in self.classes.values() if n), default=0)

    @property
    def few(self) -> bool:
        """Whether a class has too few test images to say much."""
        return 0 < self.smallest < FEW

    @property
    def better(self) -> bool:
        """Whether AUROC lies above chance with all its interval."""
        return self._ends[0] > 0.5

    @property
    def worse(self) -> bool:
        """Whether AUROC lies below chance with all its interval."""
        return self._ends[1] < 0.5

    @property
    def _ends(self) -> Sequence[float]:
        return self.own.get(AUROC.ci) or (0.0, 1.0)

    @property
    def reversed(self) -> bool:
        """Whether the score seems to rank the wrong way round."""
        return self.worse or (bool(self.own) and self.own[AUROC.key] < 0.4)

    @property
    def held_out(self) -> int | None:
        """Normal images that the threshold was chosen on; None where the run does not tell."""
        return self.counts.get("normal", {}).get("held_out")

    @property
    def promised(self) -> float:
        """The specificity that the threshold promises: m held-out images cannot promise more than m / (m + 1)."""
        return promised_specificity(self.held_out) if self.held_out else SPECIFICITY

    @property
    def decision(self) -> Mapping:
        """Sensitivity and specificity at the threshold."""
        return self.metrics.get("decision") or {}

    @property
    def promise_broken(self) -> bool:
        """Whether the measured specificity lies below the promised one with all its interval."""
        ends = self.decision.get(MEASURED_SPECIFICITY.ci)
        return ends is not None and ends[1] < self.promised

    @property
    def control(self) -> tuple[str, Mapping] | None:
        """Name and figures of the best detector that sees no pathology."""
        rows = self.metrics.get("controls") or {}
        known = [(name, row) for name, row in rows.items() if row.get(AUROC.key) is not None]
        return max(known, key=lambda item: item[1][AUROC.key], default=None)

    @property
    def beaten(self) -> bool:
        """Whether that one does as well as the score or better."""
        return bool(self.own) and self.control is not None and self.control[1][AUROC.key] >= self.own[AUROC.key]

    @property
    def above_controls(self) -> bool:
        """Whether the interval of AUROC lies above that of the best control: more than it would take."""
        return self.control is None or self._ends[0] > (self.control[1].get(AUROC.ci) or [1])[-1]
