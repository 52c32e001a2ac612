"""All scores, and on demand the maps, of a set of images."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from medad.data.imageset import ImageSet
from medad.detectors.contract.detector import Detector
from medad.evaluation.scores import ScoreTable, renumbered
from medad.evaluation.summary import check_finite
from medad.progress import progress

Maps = Mapping[str, np.ndarray]


def score(detector: Detector, images: ImageSet, keep: Callable[[Maps], object] | None = None) -> ScoreTable:
    """Score `images` batch by batch.

    Parameters
    ----------
    detector : Detector
        Fitted.
    images : ImageSet
        What is known about them goes into the table, never to the detector.
    keep : callable, optional
        Given the maps of each batch, (n, H, W) by name; without it they are dropped and memory stays flat.

    Returns
    -------
    ScoreTable
        One row per image, in the order of `images`.
    """
    scores, labels = [], []
    with progress(len(images), "scoring") as advance:
        for prediction in detector.predict(images.unlabelled()):
            scores.append(prediction.scores)
            if prediction.pred_label is not None:
                labels.append(prediction.pred_label)
            if keep:
                keep(prediction.maps)
            advance(len(prediction.ids))
    return ScoreTable(
        image_path=images.ids,
        gt_label=images.labels,
        columns=join(scores),
        kinds=images.kinds,
        pred_label=np.concatenate(labels) if labels else None,
        patients=None if images.patients is None else renumbered(images.patients),
        groups=images.groups,
    )


def score_with_map(detector: Detector, images: ImageSet) -> tuple[ScoreTable, np.ndarray | None]:
    """Return the scores of `images` and their anomaly maps (n, S, S), None for a method without maps.

    Raises
    ------
    MedadError
        If a score or a map is not finite.
    """
    batches: list[Maps] = []
    table = score(detector, images, lambda maps: batches.append({n: m for n, m in maps.items() if n == "anomaly_map"}))
    maps = join(batches)
    check_finite(table, maps)
    return table, maps.get("anomaly_map")


def scores_alone(detector: Detector, images: ImageSet) -> ScoreTable:
    """Return the scores of `images` without computing maps.

    Raises
    ------
    MedadError
        If a score is not finite.
    """
    columns, limit = detector.scores(images.unlabelled()), detector.threshold_
    called = None if limit is None else (columns["pred_score"] >= limit).astype(np.int8)
    table = ScoreTable(images.ids, None, columns, pred_label=called)
    check_finite(table)
    return table


def ranked(table: ScoreTable) -> ScoreTable:
    """Return the ids and scores of `table`, the most abnormal image first."""
    order = np.argsort(-table.columns["pred_score"], kind="stable")
    return replace(table.subset(order), gt_label=None, kinds=None, patients=None, groups=None)


def distinct(maps: Maps) -> dict[str, np.ndarray]:
    """Leave out ``anomaly_map`` where it is another of the maps by another name."""
    named = {name: values for name, values in maps.items() if name != "anomaly_map"}
    repeated = any(np.array_equal(maps["anomaly_map"], other) for other in named.values())
    return named if repeated else dict(maps)


def join(batches: Sequence[Maps]) -> dict[str, np.ndarray]:
    """Concatenate the arrays of equal names."""
    names = batches[0] if batches else ()
    return {name: np.concatenate([batch[name] for batch in batches]) for name in names}
