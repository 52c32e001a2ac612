"""What a list costs in reading: how long it is, and how many normal images are read for each abnormal one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medad.evaluation.curves import checked, threshold_counts
from medad.evaluation.operating_points import fpr_interval
from medad.evaluation.thresholds import fpr_at_tpr


@dataclass(frozen=True)
class Reading:
    """A list that holds a share of the abnormal images.

    Attributes
    ----------
    recall : float
        The share of the abnormal images that is to be found.
    read, low, high : float
        Share of all images that is on the list, and its 95 % interval.
    normals : float
        Normal images on the list for each abnormal one on it.
    """

    recall: float
    read: float
    low: float
    high: float
    normals: float


def reading(
    labels: np.ndarray,
    scores: np.ndarray,
    recall: float,
    abnormal_share: float,
    patients: Sequence[str] | None = None,
) -> Reading:
    """Return what it takes to find a share of the abnormal images by reading those with the highest scores.

    Parameters
    ----------
    labels, scores : ndarray
        (n,) of test images, both classes.
    recall : float
        In (0, 1].
    abnormal_share : float
        Of the images where the list is read, which is seldom that of the test images.
    patients : sequence of str, optional
        (n,) whose each image is, empty where unknown.
    """
    false_alarms = fpr_at_tpr(*checked(labels, scores), recall)
    ends = fpr_interval(labels, scores, patients, tpr=recall)
    found = abnormal_share * recall
    read, low, high = (found + (1 - abnormal_share) * rate for rate in (false_alarms, *ends))
    return Reading(recall, read, low, high, (1 - abnormal_share) * false_alarms / found)


def net_benefit(labels: np.ndarray, scores: np.ndarray, worth: np.ndarray, abnormal_share: float) -> np.ndarray:
    """Return the decision curve: what reading the best list is worth, in abnormal images found for each image.

    It is the share of all images that are abnormal and on the list, less what reading the normal ones costs. The best
    threshold for every cost is taken on these test images, so the curve flatters a little. Reading all images is worth
    ``abnormal_share - (1 - abnormal_share) worth``, reading none nothing (Vickers and Elkin, Medical Decision Making
    2006).

    Parameters
    ----------
    labels, scores : ndarray
        (n,) of test images, both classes.
    worth : ndarray
        (k,) what a normal image read in vain costs, where an abnormal one found is worth 1: 0.05 if one would read
        twenty normal images to find one abnormal.
    abnormal_share : float
        Of the images where the list is read.
    """
    true, false = threshold_counts(*checked(labels, scores))
    tpr, fpr = np.insert(true, 0, 0) / true[-1], np.insert(false, 0, 0) / false[-1]
    return (abnormal_share * tpr - (1 - abnormal_share) * fpr * np.asarray(worth)[:, None]).max(1)
