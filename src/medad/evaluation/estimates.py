"""Listed metrics of scores, of decisions and of maps, each with its interval."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from medad.evaluation.bootstrap import bootstrap_draws
from medad.evaluation.figure import Figure
from medad.evaluation.intervals import training_margin
from medad.evaluation.metric import UNKNOWN, Estimate, Metric
from medad.evaluation.pixel_bootstrap import pixel_draws


def image_figures(
    metrics: Sequence[Metric],
    labels: np.ndarray,
    rows: Sequence[np.ndarray],
    patients: Sequence[str] | None = None,
    *,
    trainings: bool = False,
) -> list[dict[str, Figure]]:
    """Return the figures of each row by their keys: means over its members.

    Parameters
    ----------
    metrics : sequence of Metric
        Of level ``"image"``.
    labels : ndarray
        (n,) in {0, 1}, both present.
    rows : sequence of ndarray
        (members, n) finite scores; all see the same draws of the bootstrap.
    patients : sequence of str, optional
        (n,) whose each image is, empty where unknown.
    trainings : bool
        Whether the interval holds the chance in training, too, of which the members tell.
    """
    drawn = {metric.key: metric.of_counts for metric in metrics if metric.of_counts}
    draws = np.empty((len(rows), 0, 0))
    if drawn:
        draws = bootstrap_draws(labels, rows, list(drawn.values()), patients=patients)
    found = []
    for row, some in zip(rows, draws, strict=True):
        sds = {key: float(np.std(values, ddof=1)) for key, values in zip(drawn, some, strict=True)}
        found.append({metric.key: _of_row(metric, labels, row, patients, sds, trainings) for metric in metrics})
    return found


def decision_figures(
    metrics: Sequence[Metric], labels: np.ndarray, called: np.ndarray, patients: Sequence[str] | None = None
) -> dict[str, Figure | None]:
    """Return figures of what images are `called`, (n,) in {0, 1}; None for what is about a class that is missing."""
    return {metric.key: _of_one(metric, labels, called, patients) for metric in metrics}


def pixel_figures(
    metrics: Sequence[Metric], masks: np.ndarray, maps: np.ndarray, patients: Sequence[str] | None = None
) -> dict[str, Figure | None]:
    """Return figures of the pooled pixels of `masks` and `maps`, (n, H, W) each; None where a class is missing."""
    if not masks.any() or masks.all():
        return {metric.key: None for metric in metrics}
    draws = pixel_draws(masks, maps, {m.key: m.of_counts for m in metrics if m.of_counts}, patients)
    sds = {key: float(np.nanstd(values, ddof=1)) for key, values in draws.items()}
    return {metric.key: _of_one(metric, masks, maps, patients, sds) for metric in metrics}


def _of_row(
    metric: Metric,
    labels: np.ndarray,
    row: np.ndarray,
    patients: Sequence[str] | None,
    sds: Mapping[str, float],
    trainings: bool,
) -> Figure:
    values = np.array([metric.value(labels, member) for member in row])
    margin = training_margin(values) if trainings else 0.0
    value, sd = float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else None
    estimate = Estimate(value, labels, row, patients, sds.get(metric.key, UNKNOWN), margin)
    return Figure(value, sd, *metric.interval(estimate))


def _of_one(
    metric: Metric,
    truth: np.ndarray,
    scores: np.ndarray,
    patients: Sequence[str] | None,
    sds: Mapping[str, float] = MappingProxyType({}),
) -> Figure | None:
    value = float(metric.value(truth, scores))
    if np.isnan(value):
        return None
    return Figure(value, None, *metric.interval(Estimate(value, truth, scores, patients, sds.get(metric.key, UNKNOWN))))
