"""The table of the README: AUROC of every stored DDAD run.

``python -m medad.experiments.overview`` prints it, ``... overview README.md`` puts it between the marks of that page.
"""

import sys
from pathlib import Path

import numpy as np

from medad.evaluation.metrics import auroc
from medad.experiments.paper import SCORES, published_auroc
from medad.experiments.store import RESULTS, Result, stored
from medad.reports.markdown import markdown_table

MARKS = ("<!-- overview -->", "<!-- end of overview -->")


def overview(results: Path = RESULTS) -> str:
    """Return a Markdown table with a row for each stored DDAD run of preset paper, in % AUROC."""
    rows = [["data", "run", *SCORES, "r_dual, paper"]]
    for dataset in sorted(folder.name for folder in results.iterdir() if folder.is_dir()):
        for result in stored(dataset, results):
            config = result.run["config"]
            if result.run["method"] == "ddad" and config["preset"] == "paper" and not config.get("options"):
                rows.append(_row(dataset, result))
    return markdown_table(rows)


def _row(dataset: str, result: Result) -> list[str]:
    labels, rows = result.scores.gt_label, result.scores.rows
    assert labels is not None
    means = {name: 100 * float(np.mean([auroc(labels, member) for member in row])) for name, row in rows.items()}
    figures = [f"{means[name]:.1f}" if name in means else "" for name in SCORES]
    published = published_auroc(dataset, result.run["options"]["backbone"], "r_dual")
    name = f"{result.method}, seed {result.run['seed']}"
    return [dataset, name, *figures, "" if published is None else f"{published:.1f}"]


def put_into(page: Path, table: str) -> None:
    """Replace what stands between the marks of ``page`` by ``table``; ValueError if the page lacks them."""
    before, _, rest = page.read_text(encoding="utf-8").partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not end:
        raise ValueError(f"{page}: has no lines {MARKS[0]} and {MARKS[1]}")
    page.write_text(f"{before}{MARKS[0]}\n{table}\n{MARKS[1]}{after}", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        put_into(Path(sys.argv[1]), overview())
    else:
        print(overview())
