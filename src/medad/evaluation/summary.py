"""All metrics of a table of scores: what metrics.json holds."""

import warnings
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from medad.errors import MedadError
from medad.evaluation.bootstrap import bootstrap_draws
from medad.evaluation.chi_squared import chi_squared_draws
from medad.evaluation.curves import average_precision_of_counts
from medad.evaluation.intervals import ap_interval, auroc_interval, class_sizes, proportion_interval, spread_interval
from medad.evaluation.metrics import (
    au_pro,
    auroc,
    average_precision,
    best_dice,
    chi_squared_distance,
    pixel_auroc,
    pixel_average_precision,
)
from medad.evaluation.pixel_bootstrap import pixel_draws
from medad.evaluation.scores import ScoreTable

_OF_PIXELS = {"auroc": pixel_auroc, "ap": pixel_average_precision, "best_dice": best_dice, "au_pro": au_pro}


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
        Scores, with labels if there are any, kinds of abnormality and patients where known. No interval takes the
        images of a patient for independent.
    seed : int
        Seed of the run, noted in the result. The 2000 stratified draws of the bootstrap depend on the labels
        and patients alone.
    masks : ndarray, optional
        (n, H, W) ``bool`` abnormal pixels, all zero for normal images.
    maps : mapping of str to ndarray, optional
        (n, H, W) anomaly maps by name; pixels of all images are pooled.

    Returns
    -------
    dict
        ``image``, ``kinds`` (each kind of abnormality against all normal images), ``pixel``, ``decision``
        (where ``pred_label`` is known), ``n`` and ``seed``. Beside every figure NAME stands its 95 % interval, NAME_ci
        (`medad.evaluation.intervals`); it speaks of the choice of test images. What is undefined is None, so that it
        can be written as strict JSON.

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
        result["pixel"] = {name: _pixel(masks, values, table.patients) for name, values in maps.items()}
        result["n"]["masks"] = int(np.asarray(masks).any(axis=(1, 2)).sum())
    if table.pred_label is not None:
        result["decision"] = _decision(labels, np.asarray(table.pred_label), table.patients)
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
    """AUROC and AP of each shown row, the mean over its members, with intervals."""
    rows, patients = table.shown_rows, table.patients
    if not _both_classes(labels):
        return {row: dict.fromkeys(("auroc", "auroc_ci", "ap", "ap_ci")) for row in rows}
    draws = bootstrap_draws(labels, list(rows.values()), [average_precision_of_counts], patients=patients)
    result: dict[str, dict] = {}
    for (name, members), sd in zip(rows.items(), draws[:, 0].std(axis=1, ddof=1), strict=True):
        ap = _mean(average_precision, labels, members)
        result[name] = {
            "auroc": _mean(auroc, labels, members),
            "auroc_ci": list(auroc_interval(labels, members, patients)),
            "ap": ap,
            "ap_ci": list(ap_interval(ap, float(sd), labels, members, patients)),
        }
    return result


def _mean(metric: Callable[[np.ndarray, np.ndarray], float], labels: np.ndarray, members: np.ndarray) -> float:
    return float(np.mean([metric(labels, member) for member in members]))


def _image(table: ScoreTable, labels: np.ndarray) -> dict:
    result = _ranking(table, labels)
    defined = _both_classes(labels)
    for name, row in table.shown_rows.items():
        result[name] |= chi_squared_figures(labels, row, table.patients) if defined else {"chi2": None, "chi2_ci": None}
        if len(row) > 1:
            result[name]["members"] = [auroc(labels, member) if defined else None for member in row]
    return _with_pred_score(table, result)


def chi_squared_figures(labels: np.ndarray, row: np.ndarray, patients: Sequence[str] | None) -> dict:
    """Return ``chi2``, the mean over the members of `row` (members, n), and its 95 % interval ``chi2_ci``."""
    value = _mean(chi_squared_distance, labels, row)
    sd = float(chi_squared_draws(labels, row, patients).std(ddof=1))
    ends = spread_interval(value / 100, sd / 100, min(class_sizes(labels, patients)))
    return {"chi2": value, "chi2_ci": [100 * end for end in ends]}


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


def _pixel(masks: np.ndarray, maps: np.ndarray, patients: Sequence[str] | None) -> dict:
    """AUROC, AP and best Dice (an oracle: its threshold is chosen on the masks) of pooled pixels, and AU-PRO."""
    masks = np.asarray(masks)
    if not (masks.any() and not masks.all()):
        return {key: None for name in _OF_PIXELS for key in (name, f"{name}_ci")}
    draws = pixel_draws(masks, maps, patients)
    items = min(size for size in class_sizes(np.any(masks, axis=(1, 2)), patients) if size)
    result: dict = {}
    for name, metric in _OF_PIXELS.items():
        result[name] = metric(masks, maps)
        result[f"{name}_ci"] = list(spread_interval(result[name], float(np.nanstd(draws[name], ddof=1)), items))
    return result


def _decision(labels: np.ndarray, predicted: np.ndarray, patients: Sequence[str] | None) -> dict:
    """Sensitivity and specificity of the detector's own threshold with exact intervals; None for a missing class."""
    figures: dict = {}
    for name, label in (("sensitivity", 1), ("specificity", 0)):
        chosen = np.flatnonzero(labels == label)
        hits = predicted[chosen] == label
        whose = None if patients is None else [patients[int(i)] for i in chosen]
        figures[name] = float(hits.mean()) if len(hits) else None
        figures[f"{name}_ci"] = list(proportion_interval(hits, whose)) if len(hits) else None
    return figures
