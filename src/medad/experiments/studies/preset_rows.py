"""What DDAD reaches in presets standard and paper: rows of stored scores that several pages share."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from medad.evaluation.metrics import auroc
from medad.evaluation.scores import ScoreTable
from medad.experiments.deduplicated import deduplicated
from medad.experiments.stored import Result, by_method, stored, stored_controls
from medad.experiments.studies.steady.ensembles import DATASETS
from medad.experiments.subsets import restrict
from medad.training.run_folder import training_seconds

STANDARD = "ddad-aeu-standard"
PAPER = ("ddad-aeu", "ddad-aeu-bf16")
SCORES = ("pred_score", "a_rec_ensemble", "a_intra", "a_inter", "r_intra", "r_dual", "r_nu")
HEAD = ["data", "preset", "seeds", "reported", *SCORES[1:], "control", "minutes"]


def summary(results: Path) -> list[list[str]]:
    """Return a table of what preset standard reports on every data set, beside the best control; none without runs."""
    found = {name: runs_of(name, results) for name in DATASETS}
    rows = [
        row
        for name, runs in found.items()
        if STANDARD in runs
        for row in rows_of(name, {STANDARD: runs[STANDARD]}, results)
    ]
    return [HEAD, *rows] if rows else []


def runs_of(dataset: str, results: Path) -> dict[str, list[Result]]:
    """Return the runs of both presets on a data set, by method."""
    runs = by_method(stored(dataset, results))
    return {name: runs[name] for name in (STANDARD, *PAPER) if name in runs}


def rows_of(dataset: str, runs: Mapping[str, Sequence[Result]], results: Path) -> Iterator[list[str]]:
    """Yield a row below `HEAD` for each preset and precision."""
    kept = deduplicated(dataset, results)
    subsets = [None, kept] if kept else [None]
    for some in runs.values():
        run = some[0].run
        precision = "" if run["precision"] == "fp32" else f", {run['precision']}"
        told = [" / ".join(filter(None, (spread(aurocs(some, score, of)) for of in subsets))) for score in SCORES]
        control = " / ".join(filter(None, (_control(dataset, results, of) for of in subsets)))
        minutes = [seconds / 60 for result in some if (seconds := training_seconds(result.run)) is not None]
        cost = f"{np.mean(minutes):.0f}" if minutes else ""
        yield [dataset, f"{run['config']['preset']}{precision}", str(len(some)), *told, control, cost]


def aurocs(some: Sequence[Result], score: str, kept: frozenset[str] | None = None) -> np.ndarray:
    """Return the AUROC in % of a score in every run that has it, of all or of the `kept` test images."""
    tables = [restrict(result.scores, kept) if kept else result.scores for result in some]
    return np.array([auroc_of(table, score) for table in tables if score in table.columns])


def auroc_of(table: ScoreTable, score: str) -> float:
    """Return the AUROC in % of a score."""
    assert table.gt_label is not None
    return 100 * float(auroc(table.gt_label, table.columns[score]))


def spread(values: np.ndarray) -> str:
    """Return mean and standard deviation as they are printed."""
    deviation = f" ± {values.std(ddof=1):.1f}" if len(values) > 1 else ""
    return f"{values.mean():.1f}{deviation}" if len(values) else ""


def _control(dataset: str, results: Path, kept: frozenset[str] | None) -> str:
    """Return the best AUROC of a trivial control."""
    table = stored_controls(dataset, results)
    if table is None:
        return ""
    part = restrict(table, kept) if kept else table
    return f"{max(auroc_of(part, name) for name in table.shown_rows):.1f}"
