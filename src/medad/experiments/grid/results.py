"""Results of a grid in one SQLite file."""

import csv
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from medad.errors import UserError
from medad.evaluation.metric import Metric
from medad.evaluation.metric_list import listed
from medad.evaluation.scores import ScoreTable, parse_scores
from medad.experiments.grid.cell import REPORT
from medad.experiments.grid.config import Cell
from medad.files import replacing
from medad.reports.benchmark_cells import CellReport

_SCHEMA = """
CREATE TABLE IF NOT EXISTS cells (
  key TEXT PRIMARY KEY, data TEXT NOT NULL, label TEXT NOT NULL, seed INTEGER NOT NULL, options TEXT NOT NULL,
  error TEXT NOT NULL, seconds REAL NOT NULL, finished TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
  metrics BLOB, scores BLOB)
"""
CELLS = "cells"
OF_IMAGES = ("label", "seed", "image_path", "gt_label", "kind")  # what stands before the scores of an image
_FIELDS = ("key", "data", "label", "seed", "options", "error", "seconds", "finished", "metrics", "scores")


@dataclass(frozen=True)
class Record:
    """A finished cell; where the result was taken from elsewhere, its folder has no report."""

    data: str
    label: str
    seed: int
    metrics: dict[str, Any]
    scores: ScoreTable
    folder: Path

    @property
    def report(self) -> CellReport:
        """Where the cell's report lies, if it has one."""
        file = self.folder / REPORT
        pixel = self.metrics.get("pixel", {})
        return CellReport(self.data, self.label, self.seed, file if file.exists() else None, pixel)

    @property
    def comparable(self) -> bool:
        """Whether both classes are among its test images."""
        return self.scores.gt_label is not None and 0 < self.scores.gt_label.sum() < len(self.scores)


class Results:
    """The SQLite file; each cell is written in one transaction, by the grid's own process only."""

    def __init__(self, file: Path) -> None:
        self.file = file
        try:
            with self._connected() as db:
                db.execute(_SCHEMA)
        except sqlite3.DatabaseError as error:
            raise UserError(f"{file}: cannot be read ({error}); move it away, or choose another `out`") from error

    def finished(self) -> set[str]:
        """Return the keys of the cells that ended well."""
        with self._connected() as db:
            return {key for (key,) in db.execute("SELECT key FROM cells WHERE error = ''")}

    def failures(self) -> dict[tuple[str, str, int], str]:
        """Return the last line of the error of every cell that failed, by data set, label and seed."""
        with self._connected() as db:
            rows = list(db.execute("SELECT data, label, seed, error FROM cells WHERE error != ''"))
        return {(data, label, seed): last_line(error) for data, label, seed, error in rows}

    def write(self, key: str, cell: Cell, folder: Path, error: str, seconds: float) -> None:
        """Note how a cell ended, and after how many seconds of work; what it found is read from its folder."""
        files = ("metrics.json", "scores.csv")
        found = (None, None) if error else tuple((folder / name).read_bytes() for name in files)
        options = json.dumps(asdict(cell.options), sort_keys=True)
        row = (key, cell.data.name, cell.label, cell.options.seed, options, error, seconds, *found)
        with self._connected() as db:
            db.execute(
                "INSERT OR REPLACE INTO cells (key, data, label, seed, options, error, seconds, metrics, scores) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )

    def records(self, keys: Sequence[str], cells: Sequence[Cell]) -> list[Record]:
        """Return the results of `cells`, which have these keys, as far as they ended well."""
        with self._connected() as db:
            rows = list(db.execute("SELECT key, metrics, scores FROM cells WHERE error = ''"))
        found = {key: (json.loads(metrics), parse_scores(scores, self.file)) for key, metrics, scores in rows}
        return [
            Record(cell.data.name, cell.label, cell.options.seed, *found[key], self.file.parent / CELLS / key)
            for key, cell in zip(keys, cells, strict=True)
            if key in found
        ]

    @classmethod
    def are_in(cls, file: Path) -> bool:
        """Whether `file` holds results of a grid: it is looked at only."""
        if not file.is_file():
            return False
        try:
            with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as db:
                return tuple(row[1] for row in db.execute("PRAGMA table_info(cells)")) == _FIELDS
        except sqlite3.DatabaseError:
            return False

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection that commits when all went well."""
        with closing(sqlite3.connect(self.file)) as db, db:
            yield db


def last_line(error: str) -> str:
    """Return what a traceback ends with."""
    return error.strip().splitlines()[-1]


def export_csv(records: list[Record], file: Path) -> None:
    """Write a row for every score and every map of every cell, with all metrics of `medad.evaluation.metric_list`.

    Empty is what a score or map does not have, or had not yet when the cell ran.
    """
    with replacing(file) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        metrics = listed("image", "decision", "pixel")
        columns = [f"{metric.column}{end}" for metric in metrics for end in ("", "_low", "_high")]
        writer.writerow(["data", "label", "seed", "score", *columns])
        writer.writerows(_rows(records, metrics))


def export_scores(records: list[Record], file: Path) -> None:
    """Write a row for every image of every cell, scores with six digits, empty where a cell has no such score."""
    names = list(dict.fromkeys(name for record in records for name in record.scores.columns))
    with replacing(file) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow((*OF_IMAGES, *names))
        for record in records:
            writer.writerows(_images(record, names))


def import_scores(file: Path) -> dict[str, list[ScoreTable]]:
    """Read what `export_scores` wrote: by label, in its order, a table per seed.

    Raises
    ------
    UserError
        If the file is missing or is not such a table.
    """
    try:
        with file.open(newline="", encoding="utf-8") as stream:
            lines = list(csv.DictReader(stream))
        cells: dict[tuple[str, str], list[dict[str, str]]] = {}
        for line in lines:
            cells.setdefault((line["label"], line["seed"]), []).append(line)
        tables: dict[str, list[ScoreTable]] = {}
        for (label, _), some in cells.items():
            tables.setdefault(label, []).append(_table(some))
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{file}: no table of scores; give one that medad reproduce wrote") from error
    return tables


def _table(lines: list[dict[str, str]]) -> ScoreTable:
    names = [name for name, value in lines[0].items() if value and name not in OF_IMAGES]
    columns = {name: np.array([line[name] for line in lines], dtype=np.float64) for name in names}
    known = lines[0]["gt_label"] != ""
    labels = np.array([line["gt_label"] for line in lines], dtype=np.int8) if known else None
    kinds = tuple(line["kind"] for line in lines)
    return ScoreTable(tuple(line["image_path"] for line in lines), labels, columns, kinds if any(kinds) else None)


def _images(record: Record, names: list[str]) -> Iterator[tuple[object, ...]]:
    table, empty = record.scores, [""] * len(record.scores)
    truth = empty if table.gt_label is None else table.gt_label
    scores = ([f"{x:.6g}" for x in table.columns[name]] if name in table.columns else empty for name in names)
    for row in zip(table.image_path, truth, table.kinds or empty, *scores, strict=True):
        yield record.label, record.seed, *row


def _rows(records: list[Record], metrics: Sequence[Metric]) -> Iterator[list[object]]:
    for record in records:
        image, pixel = record.metrics["image"], record.metrics.get("pixel", {})
        levels = {"image": image, "pixel": pixel, "decision": {"pred_score": record.metrics.get("decision") or {}}}
        for name in dict.fromkeys([*image, *pixel]):
            cells = (_cells(levels[metric.level].get(name, {}), metric) for metric in metrics)
            yield [record.data, record.label, record.seed, name, *(cell for some in cells for cell in some)]


def _cells(figures: Mapping[str, Any], metric: Metric) -> list[object]:
    """Return a figure and the ends of its interval, empty where it has none."""
    value = figures.get(metric.key)
    return ["", "", ""] if value is None else [value, *(figures.get(metric.ci) or ["", ""])]
