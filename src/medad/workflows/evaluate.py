"""``medad evaluate``: score the test images of a data set and write what came out."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from medad.data.imageset import ImageSet
from medad.detectors.contract.detector import Detector
from medad.detectors.registry import load_detector
from medad.errors import UserError
from medad.evaluation.controls import Controls, control_figures
from medad.evaluation.scores import ScoreTable, write_scores
from medad.evaluation.summary import summarise
from medad.files import replacing
from medad.ownership import claimed
from medad.reports.outcome import Outcome
from medad.reports.report import write_report
from medad.reports.sheet import Sheet, captions, choose_groups
from medad.training.run_folder import read_losses, read_run
from medad.workflows.controls import read_controls
from medad.workflows.scoring import Maps, distinct, join, ranked, score
from medad.workflows.splits import count, data_name, load, read_repartition
from medad.workflows.table import print_table, print_words

OF_RESULTS = ("scores.csv", "metrics.json", "report.html")


def evaluate(
    run: Path,
    data: Path,
    *,
    out: Path | None = None,
    split: Path | None = None,
    precision: str = "fp32",
    device: str = "auto",
    jobs: int | None = None,
) -> Path:
    """Score the test images of `data` with a finished run; print the table of scores, and what it means.

    Parameters
    ----------
    run : Path
        Run folder.
    data : Path
        Folder of a data set, or its split file; only its test images are read.
    out : Path, optional
        Where ``scores.csv``, ``metrics.json`` and ``report.html`` go; by default ``RUN/evaluate-DATA``,
        or ``RUN/evaluate-DATA-SPLIT`` where a split file is named.
    split : Path, optional
        Split file to use instead of the folder's own.
    precision : str
        ``"fp32"``, or ``"bf16"`` for the networks' passes: faster, and each score a little different.
    device, jobs
        See :class:`medad.detectors.contract.detector.Detector`.

    Returns
    -------
    Path
        The report.

    Raises
    ------
    UserError
        If the run, the data or the folder do not allow it.
    """
    file = split or (data if data.is_file() else None)
    out = out or run / (f"evaluate-{data_name(data)}" + (f"-{file.stem}" if file else ""))
    detector = load_detector(run, scoring_precision=precision, device=device, jobs=jobs)
    entries = read_repartition(data, split).test
    if not entries:
        raise UserError(f"{split or data}: no test images; list some in the split 'test'")
    with claimed(out, "evaluate", OF_RESULTS):
        images = load(entries, detector.options.preprocessing, "test images", jobs)
        return write_results(detector, images, data_name(data), run, out)


def write_results(detector: Detector, images: ImageSet, name: str, run: Path, out: Path) -> Path:
    """Score `images`, write what came out into `out`, and print the table of scores, and what it means.

    Without labels ``scores.csv`` is sorted, the most abnormal image first, and the report tells no accuracy.

    Parameters
    ----------
    detector : Detector
        Fitted.
    images : ImageSet
        At least one, with what is known about each.
    name : str
        Name of their data set.
    run : Path
        Run folder of the detector.
    out : Path
        Folder of the results, claimed for `OF_RESULTS`.

    Returns
    -------
    Path
        The report.
    """
    controls = _controls(run, detector, images)
    maps: list[Maps] = []
    table = score(detector, images, maps.append if images.masks is not None else None)
    write_scores(out / "scores.csv", ranked(table) if table.gt_label is None else table)
    metrics = summarise(table, detector.seed, images.masks, distinct(join(maps)))
    metrics["controls"] = control_figures(controls.table(images)) if controls else {}
    with replacing(out / "metrics.json") as partial:
        partial.write_text(json.dumps(metrics, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    described = read_run(run)
    test = {} if images.labels is None else {"test": count(images.labels, len(images))}
    flagged = 0 if table.pred_label is None else int(np.sum(table.pred_label))
    outcome = Outcome(metrics, table.primary, training_counts(described) | test, detector.threshold_, flagged)
    report = write_report(
        out,
        title=f"{described['method']} on {name}",
        config={key: value for key, value in described.items() if key not in ("data", "versions", "choice")},
        versions=described.get("versions", {}),
        outcome=outcome,
        scores=table,
        losses=read_losses(run),
        sheet=make_sheet(detector, images, table, described.get("map_scale")),
        describe=detector.meaning,
        choice=described.get("choice"),
    )
    print_table(metrics, table)
    print_words(outcome)
    print(f"report: {report}")
    return report


def _controls(run: Path, detector: Detector, images: ImageSet) -> Controls | None:
    """Return the controls of the run where `images` have labels of both classes, else None."""
    labelled = images.labels is not None and len(np.unique(images.labels)) == 2
    return read_controls(run, detector.options.size) if labelled else None


def make_sheet(
    detector: Detector, images: ImageSet, table: ScoreTable, scale: Sequence[float] | None = None
) -> Sheet | None:
    """Return the heat maps of the most telling images; None for a method without maps.

    The chosen images are scored a second time, so that the maps of all others need not be kept.
    """
    groups = choose_groups(table)
    chosen = np.concatenate(list(groups.values()))
    few = images.subset(chosen)
    batches: list[Maps] = []
    score(detector, few, batches.append)
    maps = join(batches)
    if not maps:
        return None
    headings = [heading for heading, group in groups.items() for _ in group]
    return Sheet(to_pictures(few), own_first(maps), captions(table, chosen), headings, few.masks, scale)


def own_first(maps: Maps) -> dict[str, np.ndarray]:
    """Return the distinct maps, that by which the detector decides first."""
    named = distinct(maps)
    return dict(sorted(named.items(), key=lambda item: not np.array_equal(item[1], maps["anomaly_map"])))


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
