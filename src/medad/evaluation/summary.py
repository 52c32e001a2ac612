"""All metrics of a table of scores: what metrics.json holds."""

import warnings
from collections.abc import Mapping, Sequence

import numpy as np

from medad.errors import MedadError
from medad.evaluation.estimates import decision_figures, image_figures, pixel_figures
from medad.evaluation.figure import Figure
from medad.evaluation.metric import Metric
from medad.evaluation.metric_list import AUROC, listed
from medad.evaluation.scores import ScoreTable


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
        masks, metrics = np.asarray(masks, dtype=bool), listed("pixel")
        each = {name: pixel_figures(metrics, masks, values, table.patients) for name, values in maps.items()}
        result["pixel"] = {name: _written(figures) for name, figures in each.items()}
        result["n"]["masks"] = int(masks.any(axis=(1, 2)).sum())
    if table.pred_label is not None:
        called = np.asarray(table.pred_label)
        result["decision"] = _written(decision_figures(listed("decision"), labels, called, table.patients))
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


def row_figures(metrics: Sequence[Metric], table: ScoreTable) -> dict[str, dict]:
    """Return KEY and KEY_ci of `metrics` of each shown row of `table`, which has labels: means over its members."""
    rows, labels = table.shown_rows, np.asarray(table.gt_label)
    if not _both_classes(labels):
        return {name: _written({metric.key: None for metric in metrics}) for name in rows}
    found = image_figures(metrics, labels, list(rows.values()), table.patients)
    return {name: _written(figures) for name, figures in zip(rows, found, strict=True)}


def _written(figures: Mapping[str, Figure | None]) -> dict:
    """Return figures as metrics.json has them."""
    result: dict = {}
    for key, figure in figures.items():
        result |= {key: figure and figure.mean, f"{key}_ci": figure and [figure.low, figure.high]}
    return result


def _image(table: ScoreTable, labels: np.ndarray) -> dict:
    result, defined = row_figures(listed("image"), table), _both_classes(labels)
    for name, row in table.shown_rows.items():
        if len(row) > 1:
            result[name]["members"] = [AUROC.value(labels, member) if defined else None for member in row]
    return _with_pred_score(table, result)


def _kinds(table: ScoreTable, labels: np.ndarray) -> dict:
    if table.kinds is None:
        return {}
    kinds = np.array(table.kinds)
    result: dict = {}
    for kind in sorted(set(kinds[labels == 1]) - {""}):
        chosen = np.flatnonzero((labels == 0) | (kinds == kind) & (labels == 1))
        part, count = table.subset(chosen), int(labels[chosen].sum())
        figures = row_figures(listed("image", headline=True), part)
        result[str(kind)] = _with_pred_score(part, {name: row | {"n": count} for name, row in figures.items()})
    return result


def _with_pred_score(table: ScoreTable, figures: dict[str, dict]) -> dict[str, dict]:
    """Give ``pred_score`` the figures of the named score that it repeats."""
    return {name: figures[name if name in figures else table.primary] for name in table.rows}
