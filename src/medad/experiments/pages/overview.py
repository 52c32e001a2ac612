"""The table of the README: AUROC of every stored DDAD run, and of the trivial controls."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from medad.evaluation.scores import ScoreTable
from medad.experiments.controls import MEANING
from medad.experiments.deduplicated import deduplicated
from medad.experiments.figures import auroc_in_percent
from medad.experiments.paper import SCORES, published_auroc
from medad.experiments.stored import RESULTS, Result, stored, stored_controls
from medad.experiments.studies.preset_rows import summary
from medad.experiments.subsets import restrict
from medad.reports.markdown import markdown_table

MARKS = ("<!-- overview -->", "<!-- end of overview -->")


def overview(results: Path = RESULTS) -> str:
    """Return Markdown tables of DDAD in preset standard, of trivial controls, and of each DDAD run of preset paper.

    All are AUROC in %. Beside preset standard stands the best control: that is what every figure is read against.
    Behind a slash stands the figure on the de-duplicated split, where the published one leaks.
    """
    rows = [["data", "run", *SCORES, "r_dual, paper"]]
    for dataset in sorted(folder.name for folder in results.iterdir() if folder.is_dir()):
        kept = deduplicated(dataset, results)
        for result in stored(dataset, results):
            config = result.run["config"]
            if result.run["method"] == "ddad" and config["preset"] == "paper" and not config.get("options"):
                tables = [result.scores, *([restrict(result.scores, kept)] if kept else [])]
                rows.append(_row(dataset, result, tables))
    datasets = sorted({row[0] for row in rows[1:]})
    paper = ["DDAD in preset paper:", markdown_table(rows)]
    return "\n\n".join([*_standard(results), *_controls(datasets, results), *paper])


def _standard(results: Path) -> Iterator[str]:
    """Yield a paragraph and a table of preset standard, none if nothing is stored."""
    if rows := summary(results):
        yield (
            "DDAD in preset standard, means over seeds ± standard deviation ([more](docs/results/ddad_standard.md)); "
            "*control*: the best of what sees no pathology:"
        )
        yield markdown_table(rows)


def _row(dataset: str, result: Result, tables: list[ScoreTable]) -> list[str]:
    told = {s: " / ".join(auroc_in_percent(t.gt_label, *t.rows[s]) for t in tables) for s in result.scores.rows}
    published = published_auroc(dataset, result.run["options"]["backbone"], "r_dual")
    name = f"{result.method}, seed {result.run['seed']}"
    return [dataset, name, *(told.get(score, "") for score in SCORES), "" if published is None else f"{published:.1f}"]


def _controls(datasets: Sequence[str], results: Path) -> Iterator[str]:
    """Yield a paragraph and a table with the AUROC of every control on every data set, none if nothing is stored."""
    found = {name: _aurocs(name, results) for name in datasets}
    controls = list(dict.fromkeys(control for column in found.values() for control in column))
    if controls:
        yield MEANING
        rows = [[control, *(column.get(control, "") for column in found.values())] for control in controls]
        yield markdown_table([["control", *found], *rows])


def _aurocs(dataset: str, results: Path) -> dict[str, str]:
    """Return the AUROC in % of each control, behind a slash that on the de-duplicated split."""
    table, kept = stored_controls(dataset, results), deduplicated(dataset, results)
    if table is None:
        return {}
    tables = [table, *([restrict(table, kept)] if kept else [])]
    return {n: " / ".join(auroc_in_percent(t.gt_label, t.columns[n]) for t in tables) for n in table.shown_rows}
