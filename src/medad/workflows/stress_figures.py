"""A detector looks at images with and without anomalies; what it finds, cell by cell."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np

from medad.data.imageset import ImageSet
from medad.detectors.contract.detector import Detector
from medad.evaluation.blindness import is_blind, is_found, mean_share, pair_auroc
from medad.evaluation.figure import Figure
from medad.evaluation.intervals import proportion_interval
from medad.evaluation.metric_list import AP, AUROC
from medad.evaluation.scores import ScoreTable
from medad.evaluation.small_regions import average_precisions
from medad.evaluation.summary import check_finite
from medad.progress import Advance, progress
from medad.synthesis.stress_cells import Cell
from medad.workflows.evaluate import own_first
from medad.workflows.scoring import Maps, join
from medad.workflows.stress_cells import Stressed

CHANCE = 0.5  # of an AUROC
DIGITS = 6


class Look(NamedTuple):
    """What a detector says of images: its scores, and of each map the average precision of each image, (n,)."""

    table: ScoreTable
    aps: dict[str, np.ndarray]


def stress_figures(detector: Detector, stressed: Stressed) -> dict[str, Any]:
    """Score images with and without each anomaly; what changes nothing in most of them is left out.

    Returns
    -------
    dict
        ``scores`` and ``maps``, names of which the first decides; ``false_alarms`` of the unchanged images, None
        without a threshold; ``cells``: kind, level and radius, ``chance`` of the AP, and by name, ``image``: the
        AUROC of changed against unchanged images, and ``pixel``: the mean AP of the maps; each with ``_ci``, and
        whether it is ``found`` or ``blind`` to the anomaly.

    Raises
    ------
    MedadError
        If a score or a map is not finite.
    """
    images = stressed.images
    looks: dict[Cell, Look] = {}
    maps = list(own_first(next(detector.predict(images.unlabelled())).maps))
    with progress(len(images) * (len(stressed.cells) + 1), "scoring") as advance:
        unchanged = _look(detector, images, None, (), advance)
        for cell in stressed.cells:
            some = stressed.changed(cell)
            if _changes(images, some):
                looks[cell] = _look(detector, some, stressed.masks[cell.radius], maps, advance)
            else:
                advance(len(images))
    names = _names([unchanged, *looks.values()])
    found = [
        asdict(cell)
        | {"chance": round(float(stressed.masks[cell.radius].mean()), DIGITS)}
        | {"image": {name: _of_score(unchanged, look, name) for name in names}}
        | {"pixel": {name: _of_map(look, name, stressed.masks[cell.radius]) for name in maps}}
        | {"called": _called(detector, look)}
        for cell, look in looks.items()
    ]
    return {"scores": names, "maps": maps, "false_alarms": _called(detector, unchanged), "cells": found}


def _changes(images: ImageSet, some: ImageSet) -> bool:
    """Return whether most of the images differ: a small disk may have no pixel to take from elsewhere."""
    return float((images.pixels != some.pixels).any((1, 2, 3)).mean()) > 0.5


def _names(looks: Sequence[Look]) -> list[str]:
    """Return the scores, that by which the detector decides first."""
    columns = join([look.table.columns for look in looks])
    table = ScoreTable(("",) * len(columns["pred_score"]), None, columns)
    return sorted(table.shown_rows, key=lambda name: name != table.primary)


def _look(
    detector: Detector, images: ImageSet, masks: np.ndarray | None, maps: Sequence[str], advance: Advance
) -> Look:
    """Score images, and without keeping their maps find how precise the named ones are."""
    scores: list[Maps] = []
    aps: list[Maps] = []
    for prediction in detector.predict(images.unlabelled()):
        check_finite(ScoreTable(prediction.ids, None, prediction.scores), prediction.maps)
        done = sum(len(some["pred_score"]) for some in scores)
        scores.append(prediction.scores)
        if masks is not None:
            some = masks[done : done + len(prediction.ids)]
            aps.append({name: _precisions(some, prediction.maps[name]) for name in maps})
        advance(len(prediction.ids))
    return Look(ScoreTable(images.ids, None, join(scores)), join(aps))


def _precisions(masks: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Return the average precision of each map (n, H, W) among the pixels of its image, (n,)."""
    pairs = zip(masks, maps, strict=True)
    return np.array([average_precisions(one[mask][None], np.sort(one[~mask]))[0] for mask, one in pairs])


def _of_score(unchanged: Look, changed: Look, name: str) -> dict[str, Any]:
    return _written(AUROC.key, pair_auroc(unchanged.table.rows[name], changed.table.rows[name]), CHANCE)


def _of_map(changed: Look, name: str, masks: np.ndarray) -> dict[str, Any]:
    return _written(AP.key, mean_share(changed.aps[name]), float(masks.mean()))


def _written(key: str, figure: Figure, chance: float) -> dict[str, Any]:
    ends = [round(end, DIGITS) for end in (figure.low, figure.high)]
    judged = {"found": is_found(figure, chance), "blind": is_blind(figure, chance)}
    return {key: round(figure.mean, DIGITS), f"{key}_ci": ends} | judged


def _called(detector: Detector, look: Look) -> dict[str, Any] | None:
    """Return the share of images that the run calls abnormal; None of a run without a threshold."""
    if detector.threshold_ is None:
        return None
    hits = look.table.columns["pred_score"] >= detector.threshold_
    ends = [round(end, DIGITS) for end in proportion_interval(hits)]
    return {"share": round(float(hits.mean()), DIGITS), "share_ci": ends}
