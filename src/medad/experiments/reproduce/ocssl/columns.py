"""What the columns of the table are measured on: parts of the test images of a setting."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medad.detectors.registry import METHODS
from medad.evaluation.metrics import auroc
from medad.evaluation.scores import ScoreTable
from medad.experiments.deduplicated import deduplicated
from medad.experiments.reproduce.ocssl.rows import ROWS
from medad.experiments.reproduce.ocssl.settings import OTHER
from medad.experiments.reproduce.ocssl.stored import CONTROL, FOLDER, read_tables
from medad.experiments.stored import by_method, stored
from medad.experiments.subsets import restrict

Tables = dict[str, list[ScoreTable]]  # by row, a table for each seed
DDAD = ("ddad-ae", "ddad-memae", "ddad-aeu")  # stored runs of preset paper


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes
    ----------
    title : str
        Its head.
    setting : str
        Whose scores it shows.
    clean : str
        Data set whose de-duplicated test images count alone; empty for all.
    kinds : tuple of str
        Kinds of abnormality that count; empty for all.
    other : bool
        Whether the abnormal images are those of the other collection.
    ddad : bool
        Whether stored runs of DDAD learned from the same images.
    usual : str
        Setting with the same normal images, whose rows that learn from these alone stand here, too.
    """

    title: str
    setting: str
    clean: str = ""
    kinds: tuple[str, ...] = ()
    other: bool = False
    ddad: bool = False
    usual: str = ""


SETS = (
    Column("brain_tumor", "brain_tumor", ddad=True),
    Column("brain_tumor, de-duplicated", "brain_tumor", clean="brain_tumor", ddad=True),
    Column("pediatric_cxr", "pediatric_cxr", ddad=True),
    Column("fundus_glaucoma", "fundus_glaucoma"),
    Column("adult_cxr", "adult_cxr"),
    Column("mvtec_screw", "mvtec_screw"),
)
_WITHOUT = "brain_tumor-without-"
KINDS = tuple(
    Column(f"{seen} seen: {kind}", f"{_WITHOUT}{unseen}", clean="brain_tumor", kinds=(kind,), usual="brain_tumor")
    for seen, unseen in (("meningioma", "glioma"), ("glioma", "meningioma"))
    for kind in (seen, unseen)
) + (Column("another collection", "brain_tumor", clean="brain_tumor", other=True),)


def read_columns(columns: tuple[Column, ...], results: Path) -> dict[str, Tables]:
    """Return the tables of each column by its title; one that is not stored, or lacks a class, is left out."""
    found: dict[str, Tables] = {}
    for column in columns:
        folder = results / FOLDER / column.setting
        if folder.is_dir():
            rows = _one_class(column, results) | read_tables(folder) | _ddad(column, results)
            part = part_of(column, results)
            tables = {name: [part(table) for table in some] for name, some in rows.items()}
            if all(len(set(np.asarray(table.gt_label))) == 2 for some in tables.values() for table in some):
                found[column.title] = tables
    return found


def part_of(column: Column, results: Path) -> Callable[[ScoreTable], ScoreTable]:
    """Return what takes from a table the images that count in a column."""
    kept = deduplicated(column.clean, results) if column.clean else None

    def part(table: ScoreTable) -> ScoreTable:
        labels, kinds = np.asarray(table.gt_label), np.array(table.kinds or ("",) * len(table))
        foreign = np.array([path.startswith(OTHER) for path in table.image_path])
        abnormal = (labels == 1) & (foreign == column.other)
        if column.kinds:
            abnormal &= np.isin(kinds, column.kinds)
        known = table if kept is None else restrict(table, {*kept, *np.array(table.image_path)[foreign]})
        wanted = {path for path, take in zip(table.image_path, (labels == 0) | abnormal, strict=True) if take}
        return restrict(known, wanted)

    return part


def _one_class(column: Column, results: Path) -> Tables:
    folder = results / FOLDER / column.usual
    rows = read_tables(folder) if column.usual and folder.is_dir() else {}
    return {row.name: rows[row.name] for row in ROWS if row.name in rows and not METHODS[row.method].uses_unlabeled}


def _ddad(column: Column, results: Path) -> Tables:
    runs = by_method(stored(column.setting, results)) if column.ddad else {}
    return {name: [run.scores for run in runs[name]] for name in DDAD if name in runs}


def mean_auroc(some: list[ScoreTable]) -> float:
    """Return the mean AUROC over trainings."""
    return float(np.mean([auroc(np.asarray(t.gt_label), t.columns["pred_score"]) for t in some]))


def best(tables: Tables, wanted: Iterable[str]) -> str | None:
    """Return which of some rows has the highest mean AUROC; None where there is none of them."""
    return max((n for n in wanted if n in tables), key=lambda name: mean_auroc(tables[name]), default=None)


def controls_of(tables: Tables) -> list[str]:
    """Return the trivial rows."""
    return [name for name in tables if name.startswith(CONTROL)]
