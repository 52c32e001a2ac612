"""What is promised about the images of a list, on which normal images, and in which words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from medad.detectors.contract.detector import SPECIFICITY, Detector
from medad.detectors.contract.seen import digests_of
from medad.errors import OptionError, UserError, check_choice
from medad.evaluation.calibration import conformal_p_values
from medad.evaluation.promises.classes import Classes
from medad.evaluation.promises.false_alarms import FalseAlarms, false_alarms
from medad.evaluation.scores import ScoreTable
from medad.workflows.calibration_set import CLASSES, CalibrationSet, read_calibration

USUAL = 1 - SPECIFICITY  # false-alarm rate of a run's own threshold


@dataclass(frozen=True)
class Promise:
    """The normal images on which scores become decisions.

    Attributes
    ----------
    scores : ndarray or None
        (m,) their scores; None where there are none.
    threshold : float or None
        An image is called abnormal from this score on.
    alarms : FalseAlarms or None
        What the threshold promises; None for that of a run that kept no scores, or too few for its rate.
    calibration : CalibrationSet or None
        The set that they are; None for those of training.
    source : str
        What was done with normal images that are no set.
    by : str
        What is promised within classes of: one of :data:`medad.workflows.calibration_set.CLASSES`; or nothing.
    classes : Classes or None
        What is promised within these.
    """

    scores: np.ndarray | None
    threshold: float | None
    alarms: FalseAlarms | None = None
    calibration: CalibrationSet | None = None
    source: str = "held out from training"
    by: str = ""
    classes: Classes | None = None

    @classmethod
    def of_run(
        cls,
        run: Path,
        detector: Detector,
        calibration: str | None = None,
        rate: float | None = None,
        by: str | None = None,
    ) -> Self:
        """Return the promise of a run.

        Parameters
        ----------
        run : Path
            Its folder.
        detector : Detector
            Its detector.
        calibration : str, optional
            Name of the set to promise on; by default the normal images held out from training.
        rate : float, optional
            False-alarm rate; by default that of the run's own threshold.
        by : str, optional
            What each image is judged within the class of, by a set that knows it.

        Raises
        ------
        UserError
            If there is no such set, no image was held out, or there are too few for the rate.
        """
        if rate is not None and not 0 < rate < 1:
            raise OptionError("false_alarms", "must lie between 0 and 1", rate)
        if by is not None and calibration is None:
            raise OptionError("by", "takes a set of medad calibrate that knows it: --calibration NAME", by)
        if calibration is not None:
            return cls._of_set(read_calibration(run, calibration), USUAL if rate is None else rate, by)
        held_out = detector.held_out_scores_
        if rate is None:
            return cls(held_out, detector.threshold_)
        if held_out is None:
            raise UserError(f"{run}: no normal images were held out to promise anything on; see medad calibrate")
        alarms = false_alarms(held_out, rate)
        return cls(held_out, alarms.threshold, alarms)

    @classmethod
    def _of_set(cls, known: CalibrationSet, rate: float, by: str | None) -> Self:
        alarms = false_alarms(known.scores, rate)
        if by is None:
            return cls(known.scores, alarms.threshold, alarms, known)
        check_choice("by", by, CLASSES)
        if by not in known.classes:
            raise OptionError("by", f"the images of the set {known.name} do not tell theirs", by)
        classes = Classes.of(known.image_scores, known.classes[by], known.owners, rate)
        return cls(known.scores, alarms.threshold, alarms, known, by=by, classes=classes)

    def judged(self, table: ScoreTable, groups: Mapping[str, Sequence[str]] | None = None) -> ScoreTable:
        """Return the table with p-values, of images of known classes within these, and decisions by them.

        Parameters
        ----------
        table : ScoreTable
            Scored by a detector that decides by this promise.
        groups : mapping, optional
            By name the class of each image, empty where unknown.
        """
        scores = table.columns["pred_score"]
        if self.scores is None:
            return table
        p = conformal_p_values(scores, self.scores)
        if self.classes is None or self.threshold is None:
            return replace(table, p_value=p)
        own, called = self.classes.judge(scores, (groups or {}).get(self.by, [""] * len(scores)))
        alone = np.isnan(own)
        called = np.where(alone, scores >= self.threshold, called)
        return replace(table, p_value=np.where(alone, p, own), pred_label=called.astype(np.int8))

    def decide(self, detector: Detector) -> None:
        """Let the detector call images abnormal by this promise."""
        detector.threshold_, detector.held_out_scores_ = self.threshold, self.scores

    def known_among(self, pixels: np.ndarray) -> Iterator[str]:
        """Say how many of some images, (n, C, S, S), are of the calibration set."""
        if self.calibration is None:
            return
        known = np.isin(digests_of(pixels).numpy(), self.calibration.digests)
        if known.any():
            yield (
                f"{known.sum()} of {len(known)} images are in the calibration set {self.calibration.name}: their p- "
                "and q-values say nothing"
            )
