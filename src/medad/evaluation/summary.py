"""All metrics of a table of scores: what metrics.json holds."""

import warnings
from collections.abc import Mapping

import numpy as np

from medad.errors import MedadError
from medad.evaluation.curves import (
    auroc_of_counts,
    average_precision_of_counts,
    best_dice_of_counts,
    checked,
    threshold_counts,
)
from medad.evaluation.metrics import au_pro, auroc, average_precision, chi_squared_distance
from medad.evaluation.scores import ScoreTable
from medad.evaluation.statistics import stratified_bootstrap

_METRICS = {"auroc": auroc, "ap": average_precision}
_OF_COUNTS = [auroc_of_counts, average_precision_of_counts]  # the same for the bootstrap
_OF_PIXELS = {"auroc": auroc_of_counts, "ap": average_precision_of_counts, "best_dice": best_dice_of_counts}


def summarise(
    table: ScoreTable,
    seed: int = 0,
    masks: np.ndarray | None = None,
    maps: Mapping[str, np.ndarray] | None = None,
) -> dict:
    """Compute every figure of metrics.json.

    Columns ``NAME_1 ... NAME_K`` give one row NAME: the mean over members of the metric, with their AUROCs
    beside it (``members``).

    Parameters
    ----------
    table : ScoreTable
        Scores, with labels if there are any, kinds of abnormality and patients where known. Patients are drawn
        as a whole by the bootstrap.
    seed : int
        Seed of the run, noted in the result. The 2000 stratified draws of the bootstrap depend on the labels
        and patients alone: scores of one test set, also those of two runs, are compared on the same draws.
    masks : ndarray, optional
        (n, H, W) ``bool`` abnormal pixels, all zero for normal images.
    maps : mapping of str to ndarray, optional
        (n, H, W) anomaly maps by name; pixels of all images are pooled.

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
    check_finite(table, maps)
    result: dict = {"image": {}, "kinds": {}, "pixel": {}, "n": {"unlabelled": len(table)}, "seed": seed}
    if table.gt_label is None:
        return result
    labels = np.asarray(table.gt_label)
    result["n"] = {"normal": int((labels == 0).sum()), "abnormal": int((labels == 1).sum())}
    if 0 in result["n"].values():
        warnings.warn("only one class among the labels: metrics are undefined", RuntimeWarning, stacklevel=2)
    result["image"] = _image(table, labels)
    result["kinds"] = _kinds(table, labels)
    if masks is not None and maps:
        result["pixel"] = {name: _pixel(masks, values) for name, values in maps.items()}
        result["n"]["masks"] = int(np.asarray(masks).any(axis=(1, 2)).sum())
    if table.pred_label is not None:
        result["decision"] = _decision(labels, np.asarray(table.pred_label))
    return result


def check_finite(table: ScoreTable, maps: Mapping[str, np.ndarray] | None = None) -> None:
    """Refuse scores and maps that are no numbers.

    Parameters
    ----------
    table : ScoreTable
        Scores.
    maps : mapping of str to ndarray, optional
        (n, H, W) anomaly maps by name.

    Raises
    ------
    MedadError
        If a score or a map is NaN or infinite; the image is named.
    ValueError
        If there is no image.
    """
    if not len(table):
        raise ValueError("there are no images to evaluate")
    for name, values in [*table.columns.items(), *(maps or {}).items()]:
        finite = np.isfinite(values).reshape(len(values), -1).all(axis=1)
        if not finite.all():
            image = table.image_path[int(np.argmin(finite))]
            raise MedadError(f"{image}: {name} is not finite; train again, in fp32 if it was not")


def _both_classes(labels: np.ndarray) -> bool:
    return 0 < labels.sum() < len(labels)


def _ranking(table: ScoreTable, labels: np.ndarray) -> dict[str, dict]:
    """Metrics of each shown row, the mean over its members, with intervals."""
    rows = table.shown_rows
    if not _both_classes(labels):
        return {row: {key: None for name in _METRICS for key in (name, f"{name}_ci")} for row in rows}
    intervals = stratified_bootstrap(labels, list(rows.values()), _OF_COUNTS, patients=table.patients)
    result: dict[str, dict] = {name: {} for name in rows}
    for figures, members, ends in zip(result.values(), rows.values(), intervals, strict=True):
        for (name, metric), interval in zip(_METRICS.items(), ends, strict=True):
            figures[name] = float(np.mean([metric(labels, member) for member in members]))
            figures[f"{name}_ci"] = interval.tolist()
    return result


def _image(table: ScoreTable, labels: np.ndarray) -> dict:
    result = _ranking(table, labels)
    defined = _both_classes(labels)
    for name, row in table.shown_rows.items():
        distances = [chi_squared_distance(labels, member) for member in row] if defined else []
        result[name]["chi2"] = float(np.mean(distances)) if defined else None
        if len(row) > 1:
            result[name]["members"] = [auroc(labels, member) if defined else None for member in row]
    return _with_pred_score(table, result)


def _kinds(table: ScoreTable, labels: np.ndarray) -> dict:
    if table.kinds is None:
        return {}
    kinds = np.array(table.kinds)
    result: dict = {}
    for kind in sorted(set(kinds[labels == 1]) - {""}):
        chosen = np.flatnonzero((labels == 0) | (kinds == kind) & (labels == 1))
        part, count = table.subset(chosen), int(labels[chosen].sum())
        figures = _ranking(part, labels[chosen])
        result[str(kind)] = _with_pred_score(part, {name: row | {"n": count} for name, row in figures.items()})
    return result


def _with_pred_score(table: ScoreTable, figures: dict[str, dict]) -> dict[str, dict]:
    """Give ``pred_score`` the figures of the named score that it repeats."""
    return {name: figures[name if name in figures else table.primary] for name in table.rows}


def _pixel(masks: np.ndarray, maps: np.ndarray) -> dict:
    """AUROC, AP and exact best Dice (an oracle: its threshold is chosen on the masks) of pooled pixels, and AU-PRO."""
    labels, scores = checked(np.ravel(masks), np.ravel(maps))
    if not _both_classes(labels):
        return dict.fromkeys([*_OF_PIXELS, "au_pro"])
    counts = threshold_counts(labels, scores)
    return {name: float(metric(*counts)) for name, metric in _OF_PIXELS.items()} | {"au_pro": au_pro(masks, maps)}


def _decision(labels: np.ndarray, predicted: np.ndarray) -> dict:
    """Sensitivity and specificity of the detector's own threshold; None for a missing class."""
    share = {name: predicted[labels == label] for name, label in (("sensitivity", 1), ("specificity", 0))}
    figures = {name: float(hits.mean()) if len(hits) else None for name, hits in share.items()}
    if figures["specificity"] is not None:
        figures["specificity"] = 1 - figures["specificity"]
    return figures
