"""Promises within classes of images, such as views: each judged by normal images of its own (Mondrian)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from medad.evaluation.calibration import conformal_p_values
from medad.evaluation.promises.false_alarms import FalseAlarms, false_alarms, images_needed, of_patients


@dataclass(frozen=True)
class Classes:
    """The normal images of each class that has enough of them.

    Attributes
    ----------
    scores : mapping of str to ndarray
        (m,) of each class, the highest of each patient.
    alarms : mapping of str to FalseAlarms
        What the threshold of each class promises.
    """

    scores: Mapping[str, np.ndarray]
    alarms: Mapping[str, FalseAlarms]

    @classmethod
    def of(cls, scores: np.ndarray, classes: Sequence[str], patients: Sequence[str], rate: float) -> Self:
        """Return the classes of normal images.

        Parameters
        ----------
        scores : ndarray
            (n,).
        classes, patients : sequence of str
            (n,) class of each and whose it is, empty where unknown; images of no known class count for none.
        rate : float
            The false-alarm rate to promise in each class; a class with too few images for it has no promise.
        """
        names, owners = np.array(classes), np.array(patients)
        found = {
            str(name): of_patients(scores[names == name], owners[names == name].tolist())
            for name in np.unique(names[names != ""])
        }
        enough = {name: own for name, own in found.items() if len(own) >= images_needed(rate)}
        return cls(enough, {name: false_alarms(own, rate) for name, own in enough.items()})

    def judge(self, scores: np.ndarray, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return the p-value of each image within its class, and whether it is called abnormal; (n,).

        Of a class without a promise the p-value is NaN, and it is not called.
        """
        p, called, names = np.full(len(scores), np.nan), np.zeros(len(scores), bool), np.array(classes)
        for name, own in self.scores.items():
            rows = names == name
            p[rows] = conformal_p_values(scores[rows], own)
            called[rows] = scores[rows] >= self.alarms[name].threshold
        return p, called
