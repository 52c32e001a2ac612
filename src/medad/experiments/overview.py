"""The table of the README: AUROC of every stored DDAD run.

``python -m medad.experiments.overview`` prints it, ``... overview README.md`` puts it between the marks of that page.
"""

import argparse
from pathlib import Path

from medad.errors import UserError
from medad.evaluation.scores import ScoreTable
from medad.experiments import blind
from medad.experiments.command import existing, run_command
from medad.experiments.deduplicated import deduplicated, restrict
from medad.experiments.paper import SCORES, published_auroc
from medad.experiments.store import RESULTS, Result, stored
from medad.files import replacing
from medad.reports.markdown import markdown_table

MARKS = ("<!-- overview -->", "<!-- end of overview -->")


def overview(results: Path = RESULTS) -> str:
    """Return a Markdown table with a row for each stored DDAD run of preset paper, in % AUROC, and one of controls.

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
    return "\n\n".join([markdown_table(rows), *blind.overview(datasets, results)])


def _row(dataset: str, result: Result, tables: list[ScoreTable]) -> list[str]:
    told = {s: " / ".join(blind.in_percent(t.gt_label, *t.rows[s]) for t in tables) for s in result.scores.rows}
    published = published_auroc(dataset, result.run["options"]["backbone"], "r_dual")
    name = f"{result.method}, seed {result.run['seed']}"
    return [dataset, name, *(told.get(score, "") for score in SCORES), "" if published is None else f"{published:.1f}"]


def put_into(page: Path, table: str) -> None:
    """Replace what stands between the marks of `page` by `table`.

    Raises
    ------
    UserError
        If there is no such page, or it lacks the marks.
    """
    if not page.is_file():
        raise UserError(f"{page}: no such file; name the page that holds the table")
    before, _, rest = page.read_text(encoding="utf-8").partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not end:
        raise UserError(f"{page}: has no lines {MARKS[0]} and {MARKS[1]} for the table to stand between")
    with replacing(page) as partial:
        partial.write_text(f"{before}{MARKS[0]}\n{table}\n{MARKS[1]}{after}", encoding="utf-8")


def main() -> None:
    """Print the table or put it into a page."""
    parser = argparse.ArgumentParser(prog="python -m medad.experiments.overview", description=__doc__)
    parser.add_argument("page", type=Path, nargs="?", help="page with the marks; without it the table is printed")
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    table = overview(existing(arguments.results))
    if arguments.page is None:
        print(table)
    else:
        put_into(arguments.page, table)


if __name__ == "__main__":
    run_command(main)
