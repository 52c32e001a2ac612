"""``medad evaluate``: score the test images of a data set and write what came out."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from medad.data.imageset import ImageSet
from medad.data.preprocessing import Preprocessing
from medad.data.repartition import Repartition
from medad.detectors.base import Detector
from medad.detectors.registry import load_detector
from medad.errors import UserError
from medad.evaluation.scores import ScoreTable, write_scores
from medad.evaluation.summary import summarise
from medad.reports.report import write_report
from medad.reports.sheet import Sheet, captions, choose_columns
from medad.training.run import claim, read_losses, read_run
from medad.workflows.scoring import Maps, join, score
from medad.workflows.splits import count, data_name, load
from medad.workflows.table import print_table


def evaluate(
    run: Path,
    data: Path,
    *,
    out: Path | None = None,
    split: Path | None = None,
    device: str = "auto",
    jobs: int | None = None,
) -> Path:
    """Score the test images of `data` with a finished run; print the table of scores.

    Parameters
    ----------
    run : Path
        Run folder.
    data : Path
        Folder of a data set, or its split file; only its test images are read.
    out : Path, optional
        Where ``scores.csv``, ``metrics.json`` and ``report.html`` go; ``RUN/evaluate-NAME`` by
        default, NAME being that of the split file or of the data set.
    split : Path, optional
        Split file to use instead of the folder's own.
    device, jobs
        See :class:`medad.detectors.base.Detector`.

    Returns
    -------
    Path
        The report.

    Raises
    ------
    UserError
        If the run, the data or the folder do not allow it.
    """
    out = out or run / f"evaluate-{split.stem if split else data.resolve().stem}"
    detector = load_detector(run, device, jobs)
    entries = Repartition.read(data, split).test
    if not entries:
        raise UserError(f"{split or data}: no test images; list some in the split 'test'")
    claim(out, resume=True)
    options = detector.options
    images = load(entries, Preprocessing(options.size, options.channels), "test images", jobs)
    maps: list[Maps] = []
    table = score(detector, images, maps.append if images.masks is not None else None)
    write_scores(out / "scores.csv", table)
    metrics = summarise(table, detector.seed, images.masks, join(maps), images.patients)
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    described = read_run(run)
    report = write_report(
        out,
        title=f"{described['method']} on {data_name(data)}",
        config={name: value for name, value in described.items() if name not in ("data", "versions")},
        counts=training_counts(described) | {"test": count(images)},
        metrics=metrics,
        scores=table,
        losses=read_losses(run),
        sheet=make_sheet(detector, images, table),
    )
    print_table(metrics, table)
    print(f"report: {report}")
    return report


def make_sheet(detector: Detector, images: ImageSet, table: ScoreTable) -> Sheet | None:
    """Return the heat maps of the most telling images; None for a method without maps.

    The chosen images are scored a second time, so that the maps of all others need not be kept.
    """
    chosen = choose_columns(table)
    few = images.subset(chosen)
    batches: list[Maps] = []
    score(detector, few, batches.append)
    maps = join(batches)
    if len(maps) > 1:
        del maps["anomaly_map"]  # one of the others by another name
    return Sheet(to_pictures(few), maps, captions(table, chosen), few.masks) if maps else None


def training_counts(run: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Return how many images the run was trained on, from ``run.yaml``."""
    sets = {name: run.get("data", {}).get(name) for name in ("normal", "unlabeled")}
    return {
        name: {key: n for key, n in images.items() if key != "fingerprint"} for name, images in sets.items() if images
    }


def to_pictures(images: ImageSet) -> np.ndarray:
    """Return pixels in [0, 1] as they are shown: (n, H, W) grey or (n, H, W, 3)."""
    pictures = images.pixels.astype(np.float32) / images.scale
    return pictures[:, 0] if pictures.shape[1] == 1 else pictures.transpose(0, 2, 3, 1)
