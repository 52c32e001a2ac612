"""``medad predict``: a ranked list and heat maps of new images."""

import csv
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np

from medad.data.entries import Entry, find_images
from medad.data.loading import Failure, load_images
from medad.data.preprocessing import Preprocessing
from medad.detectors.base import Detector
from medad.detectors.registry import load_detector
from medad.errors import UserError
from medad.evaluation.scores import ScoreTable, write_scores
from medad.training.run import claim, read_run
from medad.workflows.heatmaps import draw_heatmaps, stored_maps
from medad.workflows.notes import say
from medad.workflows.scale import colour_scale
from medad.workflows.scoring import Maps, join, score

CHUNK = 1000  # images decoded at once: memory does not grow with the archive


def predict(run: Path, inputs: Sequence[Path], out: Path, *, device: str = "auto", jobs: int | None = None) -> int:
    """Score images without labels, draw their heat maps, and go on past files that cannot be read.

    Parameters
    ----------
    run : Path
        Run folder.
    inputs : sequence of Path
        Image files, and folders that are searched for them (but for `out` itself).
    out : Path
        Where ``scores.csv`` (the most abnormal first), ``heatmaps/ID.png`` at native size,
        ``contact_sheet.png`` and, if there is any, ``failed.csv`` go.
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
    """
    detector = load_detector(run, device, jobs)
    entries = _find(inputs, out)
    claim(out, resume=True)
    with tempfile.TemporaryFile(dir=out) as store:
        table, paths, failures = _score(detector, entries, store, jobs)
        _write_failures(out / "failed.csv", failures)
        if table is not None:
            write_scores(out / "scores.csv", _ranked(table))
            say(f"{len(table)} images scored: {out / 'scores.csv'}")
            maps = stored_maps(store, detector.options.size)
            if len(maps):
                scale = read_run(run).get("map_scale") or colour_scale(maps)
                draw_heatmaps(table, paths, maps, scale, out, jobs)
    if failures:
        say(f"{len(failures)} files cannot be read; why, says {out / 'failed.csv'}")
    return len(failures)


def _find(inputs: Sequence[Path], out: Path) -> list[Entry]:
    """Find the images, but for those that an earlier prediction left in `out`."""
    entries = [e for e in find_images(inputs) if not e.path.is_relative_to(os.path.abspath(out))]
    if not entries:
        raise UserError(f"{out}: all images lie in the folder of the results; choose another --out")
    return entries


def _score(
    detector: Detector, entries: Sequence[Entry], store: IO[bytes], jobs: int | None
) -> tuple[ScoreTable | None, list[str], list[Failure]]:
    """Score chunk by chunk; anomaly maps go to the file `store`, for all of them may not fit into memory."""
    preprocessing = Preprocessing(detector.options.size, detector.options.channels)
    tables: list[ScoreTable] = []
    paths: list[str] = []
    failures: list[Failure] = []

    def keep(maps: Maps) -> None:
        if maps:
            store.write(maps["anomaly_map"].astype(np.float32).tobytes())

    for start in range(0, len(entries), CHUNK):
        if len(entries) > CHUNK:
            say(f"images from {start + 1} on, of {len(entries)}")
        loaded = load_images(entries[start : start + CHUNK], preprocessing, jobs)
        for note in loaded.notes:
            say(note)
        failures += loaded.failures
        if len(loaded.images):
            tables.append(score(detector, loaded.images, keep))
            paths += loaded.images.paths
    return _stack(tables), paths, failures


def _stack(tables: Sequence[ScoreTable]) -> ScoreTable | None:
    if not tables:
        return None
    labels = [table.pred_label for table in tables if table.pred_label is not None]
    return ScoreTable(
        image_path=tuple(name for table in tables for name in table.image_path),
        gt_label=None,
        columns=join([table.columns for table in tables]),
        pred_label=np.concatenate(labels) if labels else None,
    )


def _ranked(table: ScoreTable) -> ScoreTable:
    order = np.argsort(-table.columns["pred_score"], kind="stable")
    return ScoreTable(
        image_path=tuple(table.image_path[i] for i in order),
        gt_label=None,
        columns={name: values[order] for name, values in table.columns.items()},
        pred_label=None if table.pred_label is None else table.pred_label[order],
    )


def _write_failures(path: Path, failures: Sequence[Failure]) -> None:
    """Write path and reason of each failure; remove an old list when there is none."""
    if not failures:
        path.unlink(missing_ok=True)
        return
    with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["path", "reason"])
        rows.writerows([failure.path, failure.reason] for failure in failures)
