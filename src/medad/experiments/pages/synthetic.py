"""The page of methods that learn from pasted anomalies, printed from what is stored."""

import csv
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from medad.detectors.registry import PRESETS
from medad.evaluation.scores import ScoreTable
from medad.experiments import controls
from medad.experiments.deduplicated import MEANING as CLEAN
from medad.experiments.deduplicated import deduplicated
from medad.experiments.figures import WRITTEN
from medad.experiments.paper import TABLE_2
from medad.experiments.printed import printed_by
from medad.experiments.reproduce.beside import Beside
from medad.experiments.reproduce.ocssl.differences import difference
from medad.experiments.reproduce.ocssl.stored import read_about, read_tables
from medad.experiments.studies.synthetic import FOLDER, SCORES, Row, rows_of
from medad.reports.markdown import markdown_table

STORED = f"*/{FOLDER}/*.yaml"
MOMENTS = ("last", "chosen")
ROWS = [row for preset in PRESETS for row in rows_of(preset)]
MEANING = (
    "Each method was trained once on four fifths of the normal images; a star: four fifths of the unlabeled images, "
    "too, are sources of what is pasted. *Chosen*: the epoch with the highest AUC_u, the AUROC of the other unlabeled "
    "against the other normal images, which looks at no label; *last*: the end of the training. Scores are the mean "
    f"of the map, as published, then its maximum and the mean of its highest hundredth. AUROC and AP in %: {WRITTEN}."
)
QUICK = (
    "A row marked *quick* is of the shortened preset, on smaller images and with fewer channels: its figure says "
    "nothing of the paper's, and no difference is taken."
)
Scores = Mapping[str, ScoreTable]  # by column: moment and score


def page(results: Path) -> str:
    """Return the page in Markdown, with a section for each data set."""
    names = sorted({file.parent.parent.name for file in results.glob(STORED)})
    abouts = [about for name in names for about in _abouts(results / name / FOLDER).values()]
    dates = sorted({str(about["date"]) for about in abouts})
    parts = [
        "# Methods that learn from pasted anomalies",
        f"{printed_by('medad results synthetic')} from `docs/results/DATASET/{FOLDER}/`, which `python -m "
        f"medad.experiments.studies.synthetic` stored on {' and '.join(dates)}.",
        MEANING,
        controls.MEANING,
        *([QUICK] if any(about["preset"] != "paper" for about in abouts) else []),
    ]
    sections = [text for name in names for text in _section(name, results)]
    return "\n\n".join([*parts, *sections, CLEAN]) + "\n"


def _section(dataset: str, results: Path) -> Iterator[str]:
    folder = results / dataset / FOLDER
    abouts = _abouts(folder)
    tables = {name: _columns(folder, name) for name in abouts}
    yield f"## {dataset}"
    yield _counts(next(iter(abouts.values())))
    yield from list(controls.section(dataset, results))[-1:]
    yield _figures(dataset, results, abouts, tables, "pred_score")
    for score in SCORES[1:]:
        yield f"Score `{score}`:"
        yield _figures(dataset, results, abouts, tables, score)
    if any(row.starred for row in _rows(abouts)):
        yield "What the star changes, points of AUROC (a star behind it: more than chance, DeLong's paired test):"
        yield _stars(dataset, tables)
    yield "AUC_u by epoch, in %:"
    yield _judged(abouts)


def _figures(dataset: str, results: Path, abouts: Mapping[str, Any], tables: Mapping[str, Scores], score: str) -> str:
    known = dataset in TABLE_2 and score == "pred_score"
    beside = Beside(dataset, deduplicated(dataset, results), dataset if known else "")
    rows = [["method", "epoch", *beside.head]]
    for row in _rows(abouts):
        published = TABLE_2.get(dataset, {}).get(_published(row))
        for moment in MOMENTS:
            cells = beside.cells([tables[row.name][f"{moment}-{score}"]], "pred_score", published)
            cells = cells if row.preset == "paper" or not beside.same else [*cells[:-1], ""]
            rows.append([_shown(row), f"{moment} ({abouts[row.name]['epochs'][moment]})", *cells])
    return markdown_table(rows)


def _stars(dataset: str, tables: Mapping[str, Scores]) -> str:
    known = TABLE_2.get(dataset, {})
    rows = [["method", *MOMENTS, *(["published"] if known else [])]]
    for plain in (row for row in _rows(tables) if not row.starred):
        both = [replace(plain, starred=True).name, plain.name]
        if both[0] in tables:
            pairs = [[tables[name][f"{moment}-pred_score"] for name in both] for moment in MOMENTS]
            told = [str(difference([one], [other], 2)) for one, other in pairs]
            published = [f"{known[f'{plain.method}*'][0] - known[plain.method][0]:+.1f}"] if known else []
            rows.append([_shown(plain), *told, *published])
    return markdown_table(rows)


def _judged(abouts: Mapping[str, Any]) -> str:
    lengths = sorted({n for about in abouts.values() for n in about["auc_u"]})
    rows = [["method", *map(str, lengths)]]
    for row in _rows(abouts):
        found = abouts[row.name]["auc_u"]
        rows.append([_shown(row), *(f"{100 * found[n]:.1f}" if n in found else "" for n in lengths)])
    return markdown_table(rows)


def _rows(stored: Collection[str]) -> list[Row]:
    return [row for row in ROWS if row.name in stored]


def _shown(row: Row) -> str:
    return f"{_published(row)}{f' ({row.preset})' if row.preset != 'paper' else ''}"


def _published(row: Row) -> str:
    """Return the name that the row has in `TABLE_2`."""
    return f"{row.method}{'*' * row.starred}"


def _counts(about: Mapping[str, Any]) -> str:
    learned, judged = about["learned"], about["judged"]
    return (
        f"{learned['normal']} normal images to learn from, and {learned['unlabeled']} unlabeled ones where there is a "
        f"star; {judged['normal']} and {judged['unlabeled']} to choose an epoch by; {about['test']} test images."
    )


def _abouts(folder: Path) -> dict[str, dict[str, Any]]:
    found = {row.name: read_about(folder, row.name) for row in ROWS}
    return {name: about for name, about in found.items() if about is not None}


def _columns(folder: Path, name: str) -> Scores:
    """Return the scores of a row by the names of their columns."""
    with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as stream:
        names = next(csv.reader(stream))
    return dict(zip(names, read_tables(folder)[name], strict=True))
