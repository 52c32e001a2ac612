"""``medad predict``: a ranked list and heat maps of new images."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from medad.data.entries import Entry
from medad.data.imageset import ImageSet
from medad.detectors.contract.detector import Detector
from medad.detectors.registry import load_detector
from medad.evaluation.summary import check_finite
from medad.ownership import claimed
from medad.reports.overlay import contact_sheet
from medad.training.run_folder import read_run
from medad.workflows.decoding import decode_ahead
from medad.workflows.findings import FAILED, HEATMAPS, PAGE, PREDICT, SCORES, SHEET, Findings
from medad.workflows.heatmaps import draw_pictures, heatmap_path, small_path
from medad.workflows.inputs import find_inputs
from medad.workflows.notes import say
from medad.workflows.scale import colour_scale
from medad.workflows.scoring import Maps, join, score
from medad.workflows.worklist import write_page

CHUNK = 1000  # images decoded, scored and drawn at once: memory does not grow with the archive


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

    The next images are decoded while some are scored and drawn. What was found is written now and then and
    in the end, whatever ends it, so that little is lost when it is stopped or killed.

    Parameters
    ----------
    run : Path
        Run folder.
    inputs : sequence of Path
        Image files, and folders that are searched for them, but for what earlier predictions wrote.
    out : Path
        Where ``scores.csv`` (the most abnormal first), ``worklist.html`` with its pictures in
        ``worklist``, ``heatmaps/ID.png`` at native size, ``contact_sheet.png`` and, if there is any,
        ``failed.csv`` go; those of an earlier prediction are removed, all else stays.
    precision : str
        ``"fp32"``, or ``"bf16"`` for the networks' passes: faster, and each score a little different.
    device, jobs
        See :class:`medad.detectors.contract.detector.Detector`.

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
    entries = find_inputs(inputs)
    preprocessing = detector.options.preprocessing
    with claimed(out, PREDICT, _names(entries), clear=True):
        found = Findings(out, detector.held_out_scores_)
        try:
            with closing(decode_ahead(entries, preprocessing, CHUNK, jobs)) as chunks:
                for number, loaded in enumerate(chunks):
                    if len(entries) > CHUNK:
                        say(f"images from {number * CHUNK + 1} on, of {len(entries)}")
                    for note in loaded.notes:
                        say(note)
                    found.failures += loaded.failures
                    if len(loaded.images):
                        maps = _score(detector, loaded.images, found)
                        found.write_if_due()
                        scale = scale or (None if maps is None else colour_scale(maps))
                        found.failures += draw_pictures(loaded.images, maps, scale, preprocessing, out, jobs)
        finally:
            found.write()
            write_page(found, entries, run, detector, scale)
        _tell(found)
    return len(found.failures)


def _names(entries: Sequence[Entry]) -> Iterator[str]:
    """Yield the names of all that may be written into the folder of the results."""
    yield from (SCORES, FAILED, SHEET, PAGE)
    for entry in entries:
        yield heatmap_path(Path(), entry.id).as_posix()
        yield small_path(Path(), entry.id).as_posix()


def _score(detector: Detector, images: ImageSet, found: Findings) -> np.ndarray | None:
    """Add the scores to those found and return the anomaly maps (n, S, S), None for a method without maps."""
    batches: list[Maps] = []
    table = score(detector, images, lambda maps: batches.append({n: m for n, m in maps.items() if n == "anomaly_map"}))
    maps = join(batches)
    check_finite(table, maps)
    found.tables.append(table)
    return maps.get("anomaly_map")


def _tell(found: Findings) -> None:
    """Draw the contact sheet and say where the results are."""
    out = found.out
    if found.tables:
        table = found.table
        say(f"{len(table)} images scored: {out / SCORES}; to look through them, open {out / PAGE}")
        files = [heatmap_path(out, name) for name in table.image_path]
        drawn = [i for i, file in enumerate(files) if file.exists()]  # others may be gone
        if drawn:
            names, scores = [table.image_path[i] for i in drawn], table.columns["pred_score"][drawn]
            sheet = contact_sheet([files[i] for i in drawn], names, scores, out / SHEET)
            say(f"heat maps: {sheet} shows the most abnormal, {out / HEATMAPS} holds all")
    if found.failures:
        say(f"{len(found.failures)} files cannot be read; why, says {out / FAILED}")
