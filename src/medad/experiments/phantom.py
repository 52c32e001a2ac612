"""AE, AE-U and DDAD on the phantom benchmark, five seeds, whoever wins.

``python -m medad.experiments.phantom run --level LEVEL`` trains and stores the scores, ``… page`` writes
``docs/results/phantom.md`` from what is stored.
"""

import argparse
import datetime
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from medad.data.phantom import phantom_benchmark
from medad.data.phantom_files import write_phantoms
from medad.evaluation.summary import summarise
from medad.experiments.store import RESULTS, store, stored
from medad.experiments.table3 import markdown_table
from medad.ownership import claim_file
from medad.workflows.options import Preset, TrainOptions
from medad.workflows.run import run

METHODS = ("ae", "aeu", "ddad")
SETS = {"subtle": "phantom", "plain": "phantom_plain"}  # level -> name of the data set
SEEDS = range(5)
PRESET: Preset = "quick"


def run_all(level: str, work: Path, results: Path) -> None:
    """Train every method on the phantoms of every seed and store the scores; what is stored is skipped."""
    for seed in SEEDS:
        data = work / f"seed{seed}" / SETS[level]
        write_phantoms(data, phantom_benchmark(seed=seed, level=level))
        for method in METHODS:
            folder = data.parent / f"{data.name}-{method}"
            if not list((results / data.name).glob(f"{method}-*/seed{seed}")):
                run(data, TrainOptions(method=method, preset=PRESET, seed=seed), out=folder, resume=True)
                store(folder, results)


def page(results: Path) -> str:
    """Return the page in Markdown, with a section for each level that there are scores of."""
    sections = [_section(level, results) for level, name in SETS.items() if (results / name).exists()]
    return "\n\n".join([*_heading(), *sections]) + "\n"


def _section(level: str, results: Path) -> str:
    """Return a table of all scores, mean and standard deviation over the seeds, by kind of lesion."""
    figures: dict[tuple[str, str], list[dict]] = {}
    for result in stored(SETS[level], results):
        summary = summarise(result.scores, result.run["seed"])
        for name in result.scores.shown_rows:
            kinds = {kind: scores[name] for kind, scores in summary["kinds"].items()}
            figures.setdefault((result.method, name), []).append({"all": summary["image"][name]} | kinds)
    groups = list(next(iter(figures.values()))[0])
    rows = [["method", "score", "seeds", "AP, all", *(f"AUROC, {group}" for group in groups)]]
    for (method, name), seeds in figures.items():
        spreads = [_spread(seeds, group, "auroc") for group in groups]
        rows.append([method, name, str(len(seeds)), _spread(seeds, "all", "ap"), *spreads])
    return f"## Level {level}\n\n" + "\n".join(markdown_table(rows))


def _spread(seeds: list[dict], group: str, metric: str) -> str:
    values = 100 * np.array([figures[group][metric] for figures in seeds])
    return f"{values.mean():.1f} ± {values.std(ddof=1):.1f}"


def _heading() -> Iterator[str]:
    yield "# Phantom benchmark: AE, AE-U and DDAD"
    yield (
        f"Printed on {datetime.date.today()} by `python -m medad.experiments.phantom page` from the scores stored in "
        f"`phantom/` and `phantom_plain/`. Preset {PRESET}: these figures say how the methods compare on generated "
        "images after a short training, and are not to be put beside published ones."
    )
    yield (
        "Mean ± standard deviation over seeds, each with phantoms of its own, in %. The difficulty of each level was "
        "fixed before any of the methods saw its images (see [phantom](../phantom.md))."
    )


def main() -> None:
    """Run the experiment or write its page."""
    parser = argparse.ArgumentParser(prog="python -m medad.experiments.phantom", description=__doc__)
    parser.add_argument("what", choices=("run", "page"))
    parser.add_argument("--level", choices=SETS, default="subtle", help="which phantoms to run")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--work", type=Path, default=Path("runs/phantom"))
    arguments = parser.parse_args()
    if arguments.what == "run":
        run_all(arguments.level, arguments.work, arguments.results)
    else:
        file, text = arguments.results / "phantom.md", page(arguments.results)
        claim_file(file, text.splitlines()[0])
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
