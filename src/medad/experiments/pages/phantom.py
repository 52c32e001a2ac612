"""The page of AE, AE-U and DDAD on the phantom benchmark, printed from stored scores."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from medad.evaluation.intervals import training_margin
from medad.evaluation.scores import ScoreTable
from medad.evaluation.summary import summarise
from medad.experiments.controls import MEANING
from medad.experiments.printed import printed_by
from medad.experiments.stored import stored, stored_controls
from medad.experiments.studies.phantom import PRESET, SEEDS, SETS
from medad.reports.markdown import markdown_table


def page(results: Path) -> str:
    """Return the page in Markdown, with a section for each level that there are scores of."""
    sections = [_section(level, results) for level, name in SETS.items() if (results / name).exists()]
    return "\n\n".join([*_heading(), *sections]) + "\n"


def _section(level: str, results: Path) -> str:
    """Return a table of all scores, mean and standard deviation over the seeds, by kind of lesion."""
    figures: dict[tuple[str, str], list[dict]] = {}
    for method, table in _tables(SETS[level], results):
        summary = summarise(table)
        for name in table.shown_rows:
            kinds = {kind: scores[name] for kind, scores in summary["kinds"].items()}
            figures.setdefault((method, name), []).append({"all": summary["image"][name]} | kinds)
    groups = list(next(iter(figures.values()))[0])
    rows = [["method", "score", "seeds", "AP, all", *(f"AUROC, {group}" for group in groups)]]
    for (method, name), seeds in figures.items():
        spreads = [_spread(seeds, group, "auroc") for group in groups]
        rows.append([method, name, str(len(seeds)), _spread(seeds, "all", "ap"), *spreads])
    return f"## Level {level}\n\n{markdown_table(rows)}"


def _tables(dataset: str, results: Path) -> Iterator[tuple[str, ScoreTable]]:
    """Yield the scores of every seed in this preset, those of the controls first."""
    for table in (stored_controls(dataset, results, seed) for seed in SEEDS):
        if table is not None:
            yield "control", table
    for result in stored(dataset, results):
        if result.run["config"]["preset"] == PRESET:
            yield result.method, result.scores


def _spread(seeds: list[dict], group: str, metric: str) -> str:
    values = 100 * np.array([figures[group][metric] for figures in seeds])
    mean, margin = values.mean(), training_margin(values)
    ends = f"[{max(mean - margin, 0):.1f}, {min(mean + margin, 100):.1f}]"
    return f"{mean:.1f} ± {values.std(ddof=1):.1f} {ends}"


def _heading() -> Iterator[str]:
    yield "# Phantom benchmark: AE, AE-U and DDAD"
    yield (
        f"{printed_by('medad results phantom')} from the scores stored in "
        f"`phantom/` and `phantom_plain/`. Preset {PRESET}: these figures say how the methods compare on generated "
        "images after a short training, and are not to be put beside published ones."
    )
    yield (
        "Mean ± standard deviation over seeds, each with phantoms of its own, in %, and the 95 % interval of that mean "
        "(Student's): it holds the chance in images and in training. The difficulty of each level was "
        "fixed before any of the methods saw its images (see [phantom](../phantom.md))."
    )
    yield MEANING
