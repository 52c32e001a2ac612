"""From what ``medad predict`` or ``medad rank`` found to its worklist, and what is said in the end."""

import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from medad.data.entries import Entry
from medad.detectors.contract.detector import SPECIFICITY, Detector
from medad.evaluation.calibration import percentiles, promised_specificity
from medad.evaluation.promises.discoveries import expected_normal
from medad.evaluation.scores import ScoreTable
from medad.reports.overlay import contact_sheet
from medad.reports.worklist import Worklist, write_worklist
from medad.workflows.findings import FAILED, HEATMAPS, PAGE, SCORES, SHEET, Findings
from medad.workflows.heatmaps import heatmap_path, small_path
from medad.workflows.notes import say
from medad.workflows.scoring import ranked

LISTED_AT = 0.1  # false-discovery rate of the list that the page speaks of


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
    held_out = detector.held_out_scores_
    worklist = Worklist(
        table=table,
        files=[files[name] for name in table.image_path],
        small=[_beside(found.out, small_path(found.out, name)) for name in table.image_path],
        large=[_beside(found.out, heatmap_path(found.out, name)) for name in table.image_path],
        percentiles=None if held_out is None else percentiles(table.columns["pred_score"], held_out),
        scale=scale,
        about=[
            f"Scored with the method {detector.name} by the run {os.path.abspath(run)}.",
            *about,
            *_promise(detector),
            *_list(table),
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


def _list(table: ScoreTable) -> Iterator[str]:
    """Say what the q-values of the images promise: how many of those at the top are normal."""
    if table.q_value is None or table.p_value is None:
        return
    listed, normal = expected_normal(table.q_value, LISTED_AT)
    meaning = (
        "q: put all images with a q of at most 0.1 on a list, and on average over such lists at most one in ten is "
        f"normal, if the normal images among these {len(table)} are like those held out."
    )
    if listed:
        yield f"{meaning} Of these {listed} images at most {normal:.3g} are expected to be normal."
        return
    needed = math.ceil(len(table) / LISTED_AT) - 1
    yield (
        f"{meaning} None has. To put a single image of {len(table)} on it takes {needed} held-out normal images, fewer "
        "if several stand out."
    )


def _promise(detector: Detector) -> Iterator[str]:
    """Say what the threshold promises and what the figures of an image mean, or that nothing is promised."""
    held_out = detector.held_out_scores_
    if detector.threshold_ is None:
        yield (
            "The run has no threshold, because no normal images were held out from its training "
            "(option holdout does that). Nothing is promised about false alarms: the order is all that is known."
        )
        return
    m = None if held_out is None else len(held_out)
    kept = SPECIFICITY if m is None else promised_specificity(m, SPECIFICITY)
    yield (
        f"Called abnormal is a score of {detector.threshold_:.4g} or more. The threshold was chosen on "
        f"{'' if m is None else f'{m} '}normal images held out from training. Of normal images like those it calls, on "
        f"average, at least {100 * kept:.3g} % normal and at most {100 * (1 - kept):.3g} % abnormal. About images "
        "from another source it promises nothing."
    )
    if m is not None:
        yield (
            "Percentile: how many per cent of the held-out normal images score lower; equal ones count half. p: the "
            "share of them that score as high or higher, the image itself counted in, so that it is never below "
            f"1/{m + 1} = {1 / (m + 1):.2g}. Neither is the probability of a disease."
        )
