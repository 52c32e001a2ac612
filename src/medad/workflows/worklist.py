"""From what ``medad predict`` or ``medad rank`` found to its worklist, and what is said in the end."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from medad.data.entries import Entry
from medad.detectors.contract.detector import Detector
from medad.evaluation.calibration import percentiles
from medad.reports.overlay import contact_sheet
from medad.reports.worklist import Worklist, write_worklist
from medad.workflows.findings import FAILED, HEATMAPS, PAGE, SCORES, SHEET, Findings
from medad.workflows.heatmaps import heatmap_path, small_path
from medad.workflows.notes import say
from medad.workflows.promise import Promise
from medad.workflows.promise_words import told, told_of
from medad.workflows.scoring import ranked


def names_of(entries: Sequence[Entry]) -> Iterator[str]:
    """Yield the names of all that may be written into the folder of the results."""
    yield from (SCORES, FAILED, SHEET, PAGE)
    for entry in entries:
        yield heatmap_path(Path(), entry.id).as_posix()
        yield small_path(Path(), entry.id).as_posix()


def write_page(
    found: Findings,
    entries: Sequence[Entry],
    run: Path,
    detector: Detector,
    promise: Promise,
    scale: Sequence[float] | None,
    about: Sequence[str] = (),
    undrawn: str = "not drawn: stopped before",
) -> None:
    """Write ``worklist.html``, if an image was scored; pictures that were not drawn, as after a stop, are left out.

    Parameters
    ----------
    found : Findings
        What was found.
    entries : sequence of Entry
        The images and their files.
    run : Path
        Folder of the run.
    detector : Detector
        That of the run.
    promise : Promise
        What is promised.
    scale : sequence of float or None
        Colour scale of the maps; None for a method without maps.
    about : sequence of str
        What else the page says at its top, a paragraph each.
    undrawn : str
        What stands in the place of a picture that was not drawn.
    """
    if not found.tables:
        return
    table, files = ranked(found.table), {entry.id: entry.path for entry in entries}
    worklist = Worklist(
        table=table,
        files=[files[name] for name in table.image_path],
        small=[_beside(found.out, small_path(found.out, name)) for name in table.image_path],
        large=[_beside(found.out, heatmap_path(found.out, name)) for name in table.image_path],
        percentiles=None if promise.scores is None else percentiles(table.columns["pred_score"], promise.scores),
        scale=scale,
        about=[
            f"Scored with the method {detector.name} by the run {os.path.abspath(run)}.",
            *about,
            *told(promise),
            *told_of(promise, table),
        ],
        failures=FAILED if found.failures else None,
        unreadable=len(found.failures),
        undrawn=undrawn,
    )
    write_worklist(found.out / PAGE, worklist)


def tell(found: Findings, drawn: str = "all") -> None:
    """Draw the contact sheet and say where the results are.

    Parameters
    ----------
    found : Findings
        What was found.
    drawn : str
        Which heat maps there are.
    """
    out = found.out
    if found.tables:
        table = found.table
        say(f"{len(table)} images scored: {out / SCORES}; to look through them, open {out / PAGE}")
        files = [heatmap_path(out, name) for name in table.image_path]
        there = [i for i, file in enumerate(files) if file.exists()]  # others may be gone
        if there:
            names, scores = [table.image_path[i] for i in there], table.columns["pred_score"][there]
            sheet = contact_sheet([files[i] for i in there], names, scores, out / SHEET)
            say(f"heat maps: {sheet} shows the most abnormal, {out / HEATMAPS} holds {drawn}")
    if found.failures:
        say(f"{len(found.failures)} files cannot be read; why, says {out / FAILED}")


def _beside(out: Path, file: Path) -> str | None:
    return file.relative_to(out).as_posix() if file.exists() else None
