"""How often 95 % intervals of FPR at 95 % TPR and of sensitivity at 95 % specificity hold the truth."""

from collections.abc import Iterator
from functools import cache

import numpy as np

from medad.evaluation.intervals import Ends, clopper_pearson
from medad.evaluation.metric import Estimate
from medad.evaluation.metric_list import FPR_AT_TPR, SENSITIVITY_AT_SPECIFICITY
from medad.experiments.studies.coverage.intervals import covered
from medad.experiments.studies.coverage.populations import MANY, draw, labels_of

SIZES = ((10, 10), (30, 30), (30, 300), (300, 30), (100, 100), (600, 600))  # abnormal and normal items
TRUTHS = (0.6, 0.8, 0.9, 0.97)  # AUROC
METRICS = (FPR_AT_TPR, SENSITIVITY_AT_SPECIFICITY)
NAMES = (*(metric.name for metric in METRICS), *(f"{metric.name}, threshold taken for known" for metric in METRICS))


def by_operating_point(repeats: int, seed: int = 0) -> Iterator[tuple[tuple[int, int], dict[str, list[float]]]]:
    """Yield for each size the coverage of every interval of `NAMES`, over all shapes and truths."""
    return covered(NAMES, SIZES, TRUTHS, _held, repeats, seed)


def _held(rng: np.random.Generator, shape: str, truth: float, abnormal: int, normal: int) -> list[bool]:
    """Return whether the intervals hold the truth of one sample: ours, and those of a known threshold."""
    labels, scores = labels_of(abnormal, normal), draw(rng, shape, truth, abnormal, normal)
    values = [metric.value(labels, scores) for metric in METRICS]
    ours = [m.interval(Estimate(value, labels, scores[None])) for m, value in zip(METRICS, values, strict=True)]
    known: list[Ends] = [clopper_pearson(values[0], normal), clopper_pearson(values[1], abnormal)]
    truths = 2 * _truths(shape, truth)
    return [bool(low <= t <= high) for (low, high), t in zip([*ours, *known], truths, strict=True)]


@cache
def _truths(shape: str, auroc: float) -> tuple[float, ...]:
    """Return the figures of the whole population."""
    labels, scores = labels_of(MANY, MANY), draw(np.random.default_rng(0), shape, auroc, MANY, MANY)
    return tuple(metric.value(labels, scores) for metric in METRICS)
