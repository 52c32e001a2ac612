"""How a detector does on groups of test images: by sex, age, manufacturer, view and site."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from medad.evaluation.intervals import auroc_interval, proportion_interval
from medad.evaluation.metrics import auroc
from medad.evaluation.scores import ScoreTable

Interval = tuple[float, float, float]  # a figure and the ends of its 95 % interval


@dataclass(frozen=True)
class Subgroup:
    """Some of the test images.

    Attributes
    ----------
    group, value : str
        Such as ``"sex"`` and ``"F"``; the value is empty for images of which it is not known.
    normal, abnormal : int
        Numbers of images.
    auroc : tuple of float or None
        With its interval; None where a class is missing.
    alarms, found : tuple of float or None
        Share of the normal and of the abnormal images that are called abnormal, with intervals; None without images or
        threshold.
    """

    group: str
    value: str
    normal: int
    abnormal: int
    auroc: Interval | None
    alarms: Interval | None
    found: Interval | None


def subgroups(table: ScoreTable) -> Iterator[Subgroup]:
    """Yield every group of labelled images, the values of a fact in their order; a fact with one value has none."""
    if table.gt_label is None:
        return
    for group, values in (table.groups or {}).items():
        names = sorted(set(values), key=lambda name: (not name, name))
        for value in names if len(names) > 1 else []:
            yield _subgroup(group, value, table.subset(np.flatnonzero(np.array(values) == value)))


def _subgroup(group: str, value: str, part: ScoreTable) -> Subgroup:
    labels, scores = part.gt_label, part.columns["pred_score"]
    assert labels is not None
    normal, abnormal = int((labels == 0).sum()), int((labels == 1).sum())
    both = normal and abnormal
    area = (float(auroc(labels, scores)), *auroc_interval(labels, scores, part.patients)) if both else None
    return Subgroup(group, value, normal, abnormal, area, _called(part, 0), _called(part, 1))


def _called(part: ScoreTable, label: int) -> Interval | None:
    some = part.subset(np.flatnonzero(part.gt_label == label))
    if some.pred_label is None or not len(some):
        return None
    hits = some.pred_label.astype(bool)
    return float(hits.mean()), *proportion_interval(hits, some.patients)
