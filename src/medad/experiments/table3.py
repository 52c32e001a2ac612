"""Backbones against scores (the paper's Table 3), printed from stored scores.

``python -m medad.experiments.table3 brain_tumor --data $MEDAD_DATA > docs/results/brain_tumor.md``
"""

import argparse
import datetime
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from medad.data.repartition import Repartition
from medad.evaluation.scores import ScoreTable
from medad.evaluation.summary import summarise
from medad.experiments.paper import SCORES, published_auroc
from medad.experiments.store import RESULTS, Result, machines, stored
from medad.training.run import training_seconds

TOLERANCE = 3.0  # points of AUROC within which a figure agrees with the published one
DEDUPLICATED = "data_deduplicated.json"


def page(dataset: str, results: Path, data: Path | None) -> str:
    """Return the page of `dataset` in Markdown.

    Parameters
    ----------
    dataset : str
        Name of the data set.
    results : Path
        Root of the stored results.
    data : Path or None
        Folder of data sets; where its data set has a de-duplicated split, those figures stand beside.

    Notes
    -----
    Sections that lie as ``*.md`` beside the stored scores come last.
    """
    kept = deduplicated(dataset, data)
    found = [result for result in stored(dataset, results) if result.run["method"] == "ddad"]
    parts = [_heading(dataset, found), *(_section(dataset, result, kept) for result in found)]
    parts += [more.read_text(encoding="utf-8").strip() for more in sorted((results / dataset).glob("*.md"))]
    return "\n\n".join(parts) + "\n"


def deduplicated(dataset: str, data: Path | None) -> set[str] | None:
    """Return the ids of the de-duplicated test split, None where there is none."""
    split = (data or Path()) / dataset / DEDUPLICATED
    return {entry.id for entry in Repartition.read(split).test} if data and split.exists() else None


def restrict(table: ScoreTable, kept: set[str]) -> ScoreTable:
    """Return the rows of `table` whose image is among `kept`."""
    return table.subset(np.flatnonzero([path in kept for path in table.image_path]))


def _heading(dataset: str, found: list[Result]) -> str:
    seeds = sorted({r.run["seed"] for r in found})
    return "\n\n".join(
        [
            f"# {dataset}: backbones and scores",
            f"Printed on {datetime.date.today()} by `python -m medad.experiments.table3 {dataset} --data $MEDAD_DATA` "
            f"from the scores stored in `{dataset}/`. Seeds: {', '.join(map(str, seeds))}. "
            f"Machine: {machines(result.run for result in found)}.",
            "AUROC / AP in %, in brackets the 95 % interval of a stratified bootstrap (2000 draws). "
            "`a_rec` is the mean over single networks, `a_rec_ensemble` the residual of their mean. The last epoch "
            f"counts, nothing was chosen on test images. *Agrees*: within {TOLERANCE:.0f} points of the paper's AUROC.",
        ]
    )


def _section(dataset: str, result: Result, kept: set[str] | None) -> str:
    run = result.run
    published = summarise(result.scores, run["seed"])
    clean = summarise(restrict(result.scores, kept), run["seed"]) if kept else None
    kinds = list(published["kinds"]) if len(published["kinds"]) > 1 else []
    columns = ["score", "paper", "AUROC", "AP", "verdict"]
    columns += ["AUROC, de-duplicated", "AP, de-duplicated"] * (clean is not None) + [f"AUROC, {k}" for k in kinds]
    rows = [
        [name, *_figures(published["image"][name], _published(dataset, result, name))]
        + (_cells(clean["image"][name]) if clean else [])
        + [_cell(published["kinds"][kind][name], "auroc") for kind in kinds]
        for name in SCORES
        if name in published["image"]
    ]
    counts = "; ".join(f"{t}: {_counts(s['n'])}" for t, s in (("test", published), ("de-duplicated", clean)) if s)
    title = f"## {result.method}, seed {run['seed']}, {run['precision']}, preset {run['config']['preset']}"
    tables = [markdown_table(_without_empty_columns([columns, *rows])), *_pixels(result.metrics["pixel"])]
    return "\n\n".join([title, f"{_training(run)} {counts}.", *("\n".join(table) for table in tables)])


def _without_empty_columns(rows: list[list[str]]) -> list[list[str]]:
    """Return a table without the columns that are empty below their heads."""
    kept = [i for i in range(len(rows[0])) if any(row[i] for row in rows[1:])]
    return [[row[i] for i in kept] for row in rows]


def _pixels(figures: Mapping[str, Mapping[str, float]]) -> Iterator[Iterator[str]]:
    """Yield a table of pixel metrics if there are any; Dice is an oracle's, its threshold is chosen on the masks."""
    if figures:
        rows = [["map", "pixel AP", "best Dice (oracle)"]]
        yield markdown_table(
            rows + [[name, f"{100 * f['ap']:.1f}", f"{100 * f['best_dice']:.1f}"] for name, f in figures.items()]
        )


def _published(dataset: str, result: Result, score: str) -> float | None:
    """Return the paper's figure; a run that does not follow the paper's recipe is not put beside it."""
    backbone = result.run["options"].get("backbone", result.run["method"])
    return published_auroc(dataset, backbone, score) if result.run["config"]["preset"] == "paper" else None


def _training(run: Mapping[str, Any]) -> str:
    data, unlabeled = run["data"], run["data"].get("unlabeled", {})
    words = f"Trained on {data['normal']['images']} normal and {unlabeled.get('images', 0)} unlabeled images"
    words += f" ({unlabeled.get('abnormal', 'unknown')} abnormal)" if unlabeled else ""
    words += f", K = {run['options']['ensemble_size']}" if "ensemble_size" in run["options"] else ""
    seconds = training_seconds(run)
    return words + (";" if seconds is None else f", in {seconds / 60:.0f} min;")


def _counts(n: Mapping[str, int]) -> str:
    return f"{n['normal']} normal + {n['abnormal']} abnormal"


def _figures(figures: Mapping[str, Any], published: float | None) -> list[str]:
    verdict = ""
    if published is not None:
        difference = 100 * figures["auroc"] - published
        verdict = f"{'agrees' if abs(difference) <= TOLERANCE else 'differs'} ({difference:+.1f})"
    return ["" if published is None else f"{published:.1f}", *_cells(figures), verdict]


def _cells(figures: Mapping[str, Any]) -> list[str]:
    return [_cell(figures, "auroc"), _cell(figures, "ap")]


def _cell(figures: Mapping[str, Any], metric: str) -> str:
    if figures[metric] is None:
        return "–"
    low, high = figures[f"{metric}_ci"]
    return f"{100 * figures[metric]:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def markdown_table(rows: list[list[str]]) -> Iterator[str]:
    """Yield the lines of a Markdown table; the first row is its head."""
    for i, row in enumerate(rows):
        yield f"| {' | '.join(row)} |"
        if i == 0:
            yield "|" + "---|" * len(row)


def main() -> None:
    """Print the page of one data set."""
    parser = argparse.ArgumentParser(prog="python -m medad.experiments.table3", description=__doc__)
    parser.add_argument("dataset")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--data", type=Path, default=os.environ.get("MEDAD_DATA"), help="folder of data sets")
    arguments = parser.parse_args()
    print(page(arguments.dataset, arguments.results, arguments.data), end="")


if __name__ == "__main__":
    main()
