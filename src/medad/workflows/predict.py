"""``medad predict``: a ranked list and heat maps of new images."""

import csv
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from medad.data.entries import Entry, find_images
from medad.data.imageset import ImageSet
from medad.data.loading import Failure, Loaded, load_images
from medad.data.preprocessing import Preprocessing
from medad.detectors.base import Detector
from medad.detectors.registry import load_detector
from medad.errors import UserError
from medad.evaluation.scores import ScoreTable, write_scores
from medad.evaluation.summary import check_finite
from medad.files import remove, replacing
from medad.reports.overlay import contact_sheet
from medad.training.run import RUN_FILE, claim, read_run
from medad.workflows.heatmaps import draw_heatmaps, heatmap_path
from medad.workflows.notes import say
from medad.workflows.scale import colour_scale
from medad.workflows.scoring import Maps, join, ranked, score

CHUNK = 1000  # images decoded, scored and written at once: memory does not grow with the archive
SCORES, FAILED, SHEET, HEATMAPS = "scores.csv", "failed.csv", "contact_sheet.png", "heatmaps"


def predict(
    run: Path,
    inputs: Sequence[Path],
    out: Path,
    *,
    precision: str = "fp32",
    device: str = "auto",
    jobs: int | None = None,
) -> int:
    """Score images without labels, draw their heat maps, and go on past files that cannot be read.

    What was found is written after every `CHUNK` images, so that little is lost when it is stopped.

    Parameters
    ----------
    run : Path
        Run folder.
    inputs : sequence of Path
        Image files, and folders that are searched for them (but for `out` itself).
    out : Path
        Where ``scores.csv`` (the most abnormal first), ``heatmaps/ID.png`` at native size,
        ``contact_sheet.png`` and, if there is any, ``failed.csv`` go; those of an earlier prediction
        are removed.
    precision : str
        ``"fp32"``, or ``"bf16"`` for the networks' passes: faster, and each score a little different.
    device, jobs
        See :class:`medad.detectors.base.Detector`.

    Returns
    -------
    int
        Number of files that could not be read.

    Raises
    ------
    UserError
        If the run, the inputs or the folder do not allow it.
    MedadError
        If a score is not finite.
    """
    detector = load_detector(run, scoring_precision=precision, device=device, jobs=jobs)
    scale = read_run(run).get("map_scale")
    entries = _find(inputs, out)
    _make_room(out)
    tables: list[ScoreTable] = []
    failures: list[Failure] = []
    for loaded in _load(entries, detector, jobs):
        failures += loaded.failures
        if failures:
            _write_failures(out / FAILED, failures)
        if len(loaded.images):
            table, maps = _score(detector, loaded.images)
            tables.append(table)
            write_scores(out / SCORES, ranked(_stack(tables)))
            if maps is not None:
                scale = scale or colour_scale(maps)
                draw_heatmaps(loaded.images, maps, scale, out / HEATMAPS, jobs)
    _tell(out, tables, failures)
    return len(failures)


def _find(inputs: Sequence[Path], out: Path) -> list[Entry]:
    """Find the images, but for those that an earlier prediction left in `out`."""
    entries = [e for e in find_images(inputs) if not e.path.is_relative_to(os.path.abspath(out))]
    if not entries:
        raise UserError(f"{out}: all images lie in the folder of the results; choose another --out")
    return entries


def _make_room(out: Path) -> None:
    """Make sure that `out` can be written to, and remove what an earlier prediction left there."""
    claim(out, resume=True)
    if (out / RUN_FILE).exists() or (out / "metrics.json").exists():
        raise UserError(f"{out}: holds the results of a run; choose another --out")
    for name in (SCORES, FAILED, SHEET, HEATMAPS):
        remove(out / name)


def _load(entries: Sequence[Entry], detector: Detector, jobs: int | None) -> Iterator[Loaded]:
    """Decode chunk by chunk; new images are seen once, so they are not put into the cache."""
    preprocessing = Preprocessing(detector.options.size, detector.options.channels)
    for start in range(0, len(entries), CHUNK):
        if len(entries) > CHUNK:
            say(f"images from {start + 1} on, of {len(entries)}")
        loaded = load_images(entries[start : start + CHUNK], preprocessing, jobs, cache=False)
        for note in loaded.notes:
            say(note)
        yield loaded


def _score(detector: Detector, images: ImageSet) -> tuple[ScoreTable, np.ndarray | None]:
    """Return the scores and the anomaly maps (n, S, S), None for a method without maps."""
    batches: list[Maps] = []
    table = score(detector, images, lambda maps: batches.append({n: m for n, m in maps.items() if n == "anomaly_map"}))
    maps = join(batches)
    check_finite(table, maps)
    return table, maps.get("anomaly_map")


def _stack(tables: Sequence[ScoreTable]) -> ScoreTable:
    labels = [table.pred_label for table in tables if table.pred_label is not None]
    return ScoreTable(
        image_path=tuple(name for table in tables for name in table.image_path),
        gt_label=None,
        columns=join([table.columns for table in tables]),
        pred_label=np.concatenate(labels) if labels else None,
    )


def _write_failures(path: Path, failures: Sequence[Failure]) -> None:
    """Write path and reason of each failure."""
    with replacing(path) as partial, partial.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["path", "reason"])
        rows.writerows([failure.path, failure.reason] for failure in failures)


def _tell(out: Path, tables: Sequence[ScoreTable], failures: Sequence[Failure]) -> None:
    """Draw the contact sheet and say where the results are."""
    if tables:
        table = _stack(tables)
        say(f"{len(table)} images scored: {out / SCORES}")
        if (out / HEATMAPS).exists():
            files = [heatmap_path(out / HEATMAPS, name) for name in table.image_path]
            sheet = contact_sheet(files, table.columns["pred_score"], out / SHEET)
            say(f"heat maps: {sheet} shows the most abnormal, {out / HEATMAPS} holds all")
    if failures:
        say(f"{len(failures)} files cannot be read; why, says {out / FAILED}")
