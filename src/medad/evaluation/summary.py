"""All metrics of a table of scores: what metrics.json holds."""

import warnings
from collections.abc import Mapping, Sequence

import numpy as np

from medad.errors import MedadError
from medad.evaluation.curves import (
    auroc_of_counts,
    average_precision_of_counts,
    best_dice_of_counts,
    checked,
    threshold_counts,
)
from medad.evaluation.metrics import chi_squared_distance
from medad.evaluation.scores import ScoreTable
from medad.evaluation.statistics import stratified_bootstrap

_METRICS = {"auroc": auroc_of_counts, "ap": average_precision_of_counts}


def summarise(
    table: ScoreTable,
    seed: int = 0,
    masks: np.ndarray | None = None,
    maps: Mapping[str, np.ndarray] | None = None,
    patients: Sequence[str] | None = None,
) -> dict:
    """Compute every figure of metrics.json.

    Columns ``NAME_1 ... NAME_K`` give one row NAME: the mean over members of the metric, with their AUROCs
    beside it (``members``).

    Parameters
    ----------
    table : ScoreTable
        Scores, with labels if there are any and kinds of abnormality where known.
    seed : int
        Seed of the bootstrap (2000 stratified draws, the same for every score).
    masks : ndarray, optional
        (n, H, W) ``bool`` abnormal pixels, all zero for normal images.
    maps : mapping of str to ndarray, optional
        (n, H, W) anomaly maps by name; pixels of all images are pooled.
    patients : sequence of str, optional
        (n,) patients, drawn as a whole by the bootstrap.

    Returns
    -------
    dict
        ``image``, ``kinds`` (each kind of abnormality against all normal images), ``pixel``, ``decision``
        (where ``pred_label`` is known), ``n`` and ``seed``. What is undefined is None, so that it can be
        written as strict JSON.

    Raises
    ------
    MedadError
        If a score or a map is NaN or infinite; the image is named.
    ValueError
        If there is no image, or shapes differ.
    """
    _check_finite(table, maps or {})
    result: dict = {"image": {}, "kinds": {}, "pixel": {}, "n": {"unlabelled": len(table)}, "seed": seed}
    if table.gt_label is None:
        return result
    labels = np.asarray(table.gt_label)
    result["n"] = {"normal": int((labels == 0).sum()), "abnormal": int((labels == 1).sum())}
    if 0 in result["n"].values():
        warnings.warn("only one class among the labels: metrics are undefined", RuntimeWarning, stacklevel=2)
    result["image"] = {name: _image(labels, row, seed, patients) for name, row in table.rows.items()}
    result["kinds"] = _kinds(table, labels, seed, patients)
    if masks is not None and maps:
        result["pixel"] = {name: _pixel(masks, values) for name, values in maps.items()}
        result["n"]["masks"] = int(np.asarray(masks).any(axis=(1, 2)).sum())
    if table.pred_label is not None:
        result["decision"] = _decision(labels, np.asarray(table.pred_label))
    return result


def _check_finite(table: ScoreTable, maps: Mapping[str, np.ndarray]) -> None:
    if not len(table):
        raise ValueError("there are no images to evaluate")
    for name, values in [*table.columns.items(), *maps.items()]:
        finite = np.isfinite(values).reshape(len(values), -1).all(axis=1)
        if not finite.all():
            image = table.image_path[int(np.argmin(finite))]
            raise MedadError(f"{image}: {name} is not finite; train again, in fp32 if it was not")


def _both_classes(labels: np.ndarray) -> bool:
    return 0 < labels.sum() < len(labels)


def _ranking(
    labels: np.ndarray, row: np.ndarray, seed: int, patients: Sequence[str] | None
) -> tuple[dict, list[float | None]]:
    """Metrics with intervals, mean over the (members, n) row, and the AUROC of each member."""
    if not _both_classes(labels):
        return {key: None for name in _METRICS for key in (name, f"{name}_ci")}, [None for _ in row]
    curves = [threshold_counts(*checked(labels, member)) for member in row]
    values = {name: [float(metric(*curve)) for curve in curves] for name, metric in _METRICS.items()}
    intervals = stratified_bootstrap(labels, row, list(_METRICS.values()), seed=seed, patients=patients)
    figures: dict = {}
    for name, interval in zip(_METRICS, intervals, strict=True):
        figures |= {name: float(np.mean(values[name])), f"{name}_ci": list(interval)}
    return figures, list(values["auroc"])


def _image(labels: np.ndarray, row: np.ndarray, seed: int, patients: Sequence[str] | None) -> dict:
    figures, members = _ranking(labels, row, seed, patients)
    figures["chi2"] = None
    if _both_classes(labels):
        figures["chi2"] = float(np.mean([chi_squared_distance(labels, member) for member in row]))
    return figures | ({"members": members} if len(row) > 1 else {})


def _kinds(table: ScoreTable, labels: np.ndarray, seed: int, patients: Sequence[str] | None) -> dict:
    if table.kinds is None:
        return {}
    kinds = np.array(table.kinds)
    result: dict = {}
    for kind in sorted(set(kinds[labels == 1]) - {""}):
        chosen = np.flatnonzero((labels == 0) | (kinds == kind) & (labels == 1))
        theirs = None if patients is None else [patients[int(i)] for i in chosen]
        count = int(labels[chosen].sum())
        result[str(kind)] = {
            name: _ranking(labels[chosen], row[:, chosen], seed, theirs)[0] | {"n": count}
            for name, row in table.rows.items()
        }
    return result


def _pixel(masks: np.ndarray, maps: np.ndarray) -> dict:
    """AP and exact best Dice (an oracle: its threshold is chosen on the masks), pixels pooled."""
    if np.shape(masks) != np.shape(maps):
        raise ValueError(f"masks {np.shape(masks)} and maps {np.shape(maps)} differ in shape")
    labels, scores = checked(np.ravel(masks), np.ravel(maps))
    if not _both_classes(labels):
        return {"ap": None, "best_dice": None}
    tp, fp = threshold_counts(labels, scores)
    return {"ap": float(average_precision_of_counts(tp, fp)), "best_dice": float(best_dice_of_counts(tp, fp))}


def _decision(labels: np.ndarray, predicted: np.ndarray) -> dict:
    """Sensitivity and specificity of the detector's own threshold; None for a missing class."""
    share = {name: predicted[labels == label] for name, label in (("sensitivity", 1), ("specificity", 0))}
    figures = {name: float(hits.mean()) if len(hits) else None for name, hits in share.items()}
    if figures["specificity"] is not None:
        figures["specificity"] = 1 - figures["specificity"]
    return figures
