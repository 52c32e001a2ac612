"""The page of methods that learn from synthetic anomalies, printed from what is stored."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

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
from medad.experiments.studies.synthetic import SCORES
from medad.experiments.synthetic_rows import FOLDER, METHODS, Row
from medad.reports.markdown import markdown_table

STORED = f"*/{FOLDER}/*.yaml"
MOMENTS = ("last", "chosen")
MEANING = (
    "Each method was trained on four fifths of the normal images; a star: four fifths of the unlabeled images, "
    "too, are sources of what is pasted. *Chosen*: the epoch with the highest AUC_u, the AUROC of the other unlabeled "
    "against the other normal images, which looks at no label; *last*: the end of the training. Scores are, as "
    "published, the mean of the map, of cutpaste and anatpaste the distance from normal images, of draem the highest "
    f"mean in a window; below them others of the same trainings. AUROC and AP in %: {WRITTEN}."
)
OURS = (
    "`nsa_nu` is ours: with and without a star it also learns to tell unlabeled from normal images, and what is pasted "
    "then shows it. That its score is the mean of the map, not the logit of an unlabeled image (`nu`), was decided "
    "with test figures of both sets in sight."
)
PRETRAINED = (
    "*Pretrained*: the encoder began with ImageNet's weights, those of EfficientNet-Lite0 where the published one is a "
    "ResNet-18."
)
QUICK = (
    "A row marked *quick* is of the shortened preset, on smaller images and with fewer channels: its figure says "
    "nothing of the paper's, and no difference is taken."
)
NAMES = {
    "max": "the highest value of the map",
    "top": "the mean of the highest hundredth of the map",
    "mean": "the mean of the map",
    "nu": "the logit of an unlabeled image",
    "classifier": "the probability of a changed image",
}


@dataclass(frozen=True)
class Trained:
    """What is stored of the trainings of a row, one for each seed: facts, and scores by moment and name."""

    abouts: Sequence[Mapping[str, Any]]
    columns: Sequence[Mapping[str, ScoreTable]]

    def tables(self, column: str) -> list[ScoreTable]:
        """Return a score of all trainings; none where there is none."""
        return [columns[column] for columns in self.columns if column in columns]

    def epochs(self, moment: str) -> str:
        """Return the epochs that it stands for."""
        return ", ".join(dict.fromkeys(str(about["epochs"][moment]) for about in self.abouts))


Rows = Mapping[Row, Trained]  # those of all seeds under the first


def page(results: Path) -> str:
    """Return the page in Markdown, with a section for each data set."""
    names = sorted({file.parent.parent.name for file in results.glob(STORED)})
    rows = {name: _read(results / name / FOLDER) for name in names}
    abouts = [about for some in rows.values() for trained in some.values() for about in trained.abouts]
    dates = sorted({str(about["date"]) for about in abouts})
    parts = [
        "# Methods that learn from synthetic anomalies",
        f"{printed_by('medad results synthetic')} from `docs/results/DATASET/{FOLDER}/`, which `python -m "
        f"medad.experiments.studies.synthetic` stored on {' and '.join(dates)}.",
        MEANING,
        controls.MEANING,
        *([OURS] if any(row.method == "nsa_nu" for some in rows.values() for row in some) else []),
        *([PRETRAINED] if any(row.encoder for some in rows.values() for row in some) else []),
        *([QUICK] if any(about["preset"] != "paper" for about in abouts) else []),
    ]
    sections = [text for name in names for text in _section(name, results, rows[name])]
    return "\n\n".join([*parts, *sections, CLEAN]) + "\n"


def _section(dataset: str, results: Path, rows: Rows) -> Iterator[str]:
    yield f"## {dataset}"
    yield _counts(next(iter(rows.values())).abouts[0])
    yield from list(controls.section(dataset, results))[-1:]
    yield _figures(dataset, results, rows, SCORES[0])
    for score in SCORES[1:]:
        if any(trained.tables(f"last-{score}") for trained in rows.values()):
            yield f"Score `{score}`, {NAMES[score]}:"
            yield _figures(dataset, results, rows, score)
    if any(row.starred for row in rows):
        yield "What the star changes, points of AUROC (a star behind it: more than chance):"
        yield _stars(dataset, rows)
    yield "What the choice of the epoch changes against the last, points of AUROC (a star behind: more than chance):"
    yield _choices(rows)
    yield "AUC_u along the first training, in %, and after which epoch:"
    yield _judged(rows)


def _figures(dataset: str, results: Path, rows: Rows, score: str) -> str:
    known = dataset in TABLE_2 and score == SCORES[0]
    beside = Beside(dataset, deduplicated(dataset, results), dataset if known else "")
    cells = [["method", "epoch", *beside.head]]
    for row, trained in rows.items():
        published = TABLE_2.get(dataset, {}).get(_published(row))
        for moment in MOMENTS:
            if tables := trained.tables(f"{moment}-{score}"):
                found = beside.cells(tables, "pred_score", published)
                found = found if row.preset == "paper" or not beside.same else [*found[:-1], ""]
                cells.append([_shown(row), f"{moment} ({trained.epochs(moment)})", *found])
    return markdown_table(cells)


def _stars(dataset: str, rows: Rows) -> str:
    known = TABLE_2.get(dataset, {})
    cells = [["method", *MOMENTS, *(["published"] if known else [])]]
    for plain, trained in rows.items():
        starred = rows.get(replace(plain, starred=True))
        if not plain.starred and starred:
            pairs = [[of.tables(f"{moment}-{SCORES[0]}") for of in (starred, trained)] for moment in MOMENTS]
            told = [str(difference(one, other, 2)) for one, other in pairs]
            cells.append([_shown(plain), *told, *([_published_gain(plain, known)] if known else [])])
    return markdown_table(cells)


def _published_gain(plain: Row, known: Mapping[str, tuple[float, float]]) -> str:
    both = known.get(f"{plain.method}*"), known.get(plain.method)
    return f"{both[0][0] - both[1][0]:+.1f}" if both[0] and both[1] else ""


def _choices(rows: Rows) -> str:
    cells = [["method", "chosen less last"]]
    for row, trained in rows.items():
        last, chosen = (trained.tables(f"{moment}-{SCORES[0]}") for moment in MOMENTS)
        cells.append([_shown(row), str(difference(chosen, last, 1))])
    return markdown_table(cells)


def _judged(rows: Rows) -> str:
    """Return a table of AUC_u over tenths of a training, whose epochs are in the file of the row."""
    found = {row: list(trained.abouts[0]["auc_u"].items()) for row, trained in rows.items()}
    most = max(map(len, found.values()))
    cells = [["method", *map(str, range(1, most + 1))]]
    for row, judged in found.items():
        told = [f"{100 * value:.1f} ({n})" for n, value in judged]
        cells.append([_shown(row), *told, *[""] * (most - len(told))])
    return markdown_table(cells)


def _shown(row: Row) -> str:
    marks = ", ".join([*(["pretrained"] if row.encoder else []), *([row.preset] if row.preset != "paper" else [])])
    return f"{row.method}{'*' * row.starred}{f' ({marks})' if marks else ''}"


def _published(row: Row) -> str:
    """Return the name that the row has in `TABLE_2`."""
    return f"{row.method}{'*' * row.starred}{', pretrained' if row.encoder else ''}"


def _counts(about: Mapping[str, Any]) -> str:
    learned, judged = about["learned"], about["judged"]
    return (
        f"{learned['normal']} normal images to learn from, and {learned['unlabeled']} unlabeled ones where there is a "
        f"star; {judged['normal']} and {judged['unlabeled']} to choose an epoch by; {about['test']} test images."
    )


def _read(folder: Path) -> Rows:
    """Return all rows that are stored, in the order of the methods."""
    abouts = {file.stem: read_about(folder, file.stem) for file in sorted(folder.glob("*.yaml"))}
    found: dict[Row, list[str]] = {}
    for row, name in sorted(((Row.of_stored(about), name) for name, about in abouts.items() if about), key=_order):
        found.setdefault(replace(row, seed=0), []).append(name)
    tables = read_tables(folder)
    return {
        row: Trained(
            [abouts[name] or {} for name in names],
            [dict(zip(_columns(folder / f"{name}.csv"), tables[name], strict=True)) for name in names],
        )
        for row, names in found.items()
    }


def _order(item: tuple[Row, str]) -> Any:
    row = item[0]
    return METHODS.index(row.method), row.starred, row.encoder, row.preset, row.seed


def _columns(file: Path) -> list[str]:
    with file.open(newline="", encoding="utf-8") as stream:
        return next(csv.reader(stream))
