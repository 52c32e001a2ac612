"""What is promised about the images of a list, on which normal images, and in which words."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from medad.detectors.contract.detector import SPECIFICITY, Detector
from medad.detectors.contract.seen import digests_of
from medad.errors import OptionError, UserError
from medad.evaluation.calibration import promised_specificity
from medad.evaluation.promises.abnormal_share import abnormal_share
from medad.evaluation.promises.discoveries import expected_normal
from medad.evaluation.promises.false_alarms import FalseAlarms, false_alarms
from medad.evaluation.scores import ScoreTable
from medad.workflows.calibration_set import CalibrationSet, read_calibration

USUAL = 1 - SPECIFICITY  # false-alarm rate of a run's own threshold
LISTED_AT = 0.1  # false-discovery rate of the list that the page speaks of


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
    """

    scores: np.ndarray | None
    threshold: float | None
    alarms: FalseAlarms | None = None
    calibration: CalibrationSet | None = None
    source: str = "held out from training"

    @classmethod
    def of_run(cls, run: Path, detector: Detector, calibration: str | None = None, rate: float | None = None) -> Self:
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

        Raises
        ------
        UserError
            If there is no such set, no image was held out, or there are too few for the rate.
        """
        if rate is not None and not 0 < rate < 1:
            raise OptionError("false_alarms", "must lie between 0 and 1", rate)
        if calibration is not None:
            found = read_calibration(run, calibration)
            alarms = false_alarms(found.scores, USUAL if rate is None else rate)
            return cls(found.scores, alarms.threshold, alarms, found)
        held_out = detector.held_out_scores_
        if rate is None:
            return cls(held_out, detector.threshold_)
        if held_out is None:
            raise UserError(f"{run}: no normal images were held out to promise anything on; see medad calibrate")
        alarms = false_alarms(held_out, rate)
        return cls(held_out, alarms.threshold, alarms)

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

    def told(self) -> Iterator[str]:
        """Say what the threshold promises and what the figures of an image mean, or that nothing is promised."""
        if self.threshold is None:
            yield (
                "The run has no threshold, because no normal images were held out from its training (option holdout "
                "does that, medad calibrate does it afterwards). Nothing is promised about false alarms: the order is "
                "all that is known."
            )
            return
        m = None if self.scores is None else len(self.scores)
        kept = self._specificity(m)
        yield (
            f"Called abnormal is a score of {self.threshold:.4g} or more. The threshold was chosen on {self._source}. "
            f"Of normal images like those it calls, on average, at least {100 * kept:.3g} % normal and at most "
            f"{100 * (1 - kept):.3g} % abnormal{self._between}. About images from another source it promises nothing."
        )
        if m is not None:
            yield (
                "Percentile: how many per cent of these normal images score lower; equal ones count half. p: the share "
                "of them that score as high or higher, the image itself counted in, so that it is never below "
                f"1/{m + 1} = {1 / (m + 1):.2g}. Neither is the probability of a disease."
            )

    def told_of(self, table: ScoreTable) -> Iterator[str]:
        """Say what the q-values of images promise, how many of those at the top are normal, and how many are not."""
        if table.q_value is None or self.scores is None:
            return
        yield self._listed(table, table.q_value)
        least = abnormal_share(self.scores, table.columns["pred_score"]).at_least
        if least > 0:
            yield (
                f"At least {100 * least:.2g} % of all {len(table)} images are abnormal: a lower bound that holds with "
                "95 % confidence, if the normal ones among them are like those that the threshold was chosen on. More "
                "may be."
            )

    def _listed(self, table: ScoreTable, q: np.ndarray) -> str:
        listed, normal = expected_normal(q, LISTED_AT)
        meaning = (
            "q: put all images with a q of at most 0.1 on a list, and on average over such lists at most one in ten is "
            f"normal, if the normal images among these {len(table)} are like those that the threshold was chosen on."
        )
        if listed:
            return f"{meaning} Of these {listed} images at most {normal:.3g} are expected to be normal."
        return (
            f"{meaning} None has. To put a single image of {len(table)} on it takes "
            f"{math.ceil(len(table) / LISTED_AT) - 1} such normal images, fewer if several stand out."
        )

    @property
    def _source(self) -> str:
        m = "" if self.scores is None else f"{len(self.scores)} "
        if self.calibration is None:
            return f"{m}normal images {self.source}"
        units = "images" if len(self.calibration.digests) == len(self.calibration.scores) else "patients"
        return f"{m}normal {units} of the calibration set {self.calibration.name}"

    @property
    def _between(self) -> str:
        if self.alarms is None:
            return ""
        return f" (this very threshold: {100 * self.alarms.low:.2g} to {100 * self.alarms.high:.2g} %)"

    def _specificity(self, m: int | None) -> float:
        if self.alarms is not None:
            return 1 - self.alarms.promised
        return SPECIFICITY if m is None else promised_specificity(m, SPECIFICITY)
