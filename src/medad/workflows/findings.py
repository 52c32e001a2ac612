"""What ``medad predict`` or ``medad rank`` has found so far, and its files."""

import csv
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from medad.data.loading import Failure
from medad.evaluation.promises.discoveries import q_values
from medad.evaluation.scores import ScoreTable, write_scores
from medad.files import replacing
from medad.workflows.scoring import join, ranked

SCORES, FAILED, SHEET, HEATMAPS = "scores.csv", "failed.csv", "contact_sheet.png", "heatmaps"
PAGE, PICTURES = "worklist.html", "worklist"
PREDICT, RANK = "predict", "rank"  # what the markers of lists of scored images name
CHUNK = 1000  # images decoded, scored and drawn at once: memory does not grow with the archive
RESULTS = (SCORES, FAILED, SHEET, HEATMAPS, PAGE, PICTURES)  # all that predict writes
PAUSE_SECONDS = 60.0
WRITING_SHARE = 0.05  # of the time; each writing ranks and writes everything anew


class Findings:
    """Scores, and files that could not be read; the only things that grow with the number of images.

    Parameters
    ----------
    out : Path
        Folder of ``scores.csv`` and ``failed.csv``.

    Attributes
    ----------
    tables : list of ScoreTable
        The scores, chunk by chunk.
    failures : list of Failure
        Files that could not be read.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self.tables: list[ScoreTable] = []
        self.failures: list[Failure] = []
        self._next = 0.0

    @property
    def table(self) -> ScoreTable:
        """All scores, in the order in which they were found; there is at least one."""
        p = _whole([table.p_value for table in self.tables])
        return ScoreTable(
            image_path=tuple(name for table in self.tables for name in table.image_path),
            gt_label=None,
            columns=join([table.columns for table in self.tables]),
            pred_label=_whole([table.pred_label for table in self.tables]),
            p_value=p,
            q_value=None if p is None else q_values(p),
        )

    def write_if_due(self) -> None:
        """Write at most once a minute, and so seldom that the cost stays linear in the number of images."""
        begin = time.monotonic()
        if begin >= self._next:
            self.write()
            end = time.monotonic()
            self._next = end + max(PAUSE_SECONDS, (end - begin) / WRITING_SHARE)

    def write(self) -> None:
        """Write what there is: the scores, the most abnormal first, and the files that could not be read."""
        if self.failures:
            _write_failures(self.out / FAILED, self.failures)
        if self.tables:
            write_scores(self.out / SCORES, ranked(self.table))


def _whole(parts: Sequence[np.ndarray | None]) -> np.ndarray | None:
    known = [part for part in parts if part is not None]
    return np.concatenate(known) if known else None


def _write_failures(path: Path, failures: Sequence[Failure]) -> None:
    """Write path and reason of each failure."""
    with replacing(path) as partial, partial.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["path", "reason"])
        rows.writerows([failure.path, failure.reason] for failure in failures)
