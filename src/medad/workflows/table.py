"""The table of scores on the terminal, and what it means."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from medad.evaluation.metric import Metric
from medad.evaluation.metric_list import listed
from medad.evaluation.scores import ScoreTable
from medad.reports.advice import next_steps
from medad.reports.lead import lead
from medad.reports.outcome import Outcome

CONTROLS_TITLE, SCORES_TITLE = "what sees no pathology:", "the detector:"


def print_table(metrics: Mapping[str, Any], scores: ScoreTable) -> None:
    """Print the headline metrics of every score with their intervals; nothing for images without labels."""
    if not metrics["image"]:
        return
    heads = [head for metric in listed("image", headline=True) for head in (metric.heading, "95 % interval")]
    table = Table("score", *heads, title=_title(metrics))
    if metrics.get("controls"):
        table.add_row(CONTROLS_TITLE)
        _add_rows(table, metrics["controls"])
        table.add_section()
        table.add_row(SCORES_TITLE)
    _add_rows(table, {name: metrics["image"][name] for name in scores.shown_rows})
    Console(highlight=False).print(table)


def print_words(outcome: Outcome) -> None:
    """Print what a run came to, and what to do next."""
    lines = (lead(outcome), *(f"Next: {step}" for step in next_steps(outcome)))
    Console(highlight=False, markup=False).print(*lines, sep="\n")


def _add_rows(table: Table, figures: Mapping[str, Mapping[str, Any]]) -> None:
    for name, row in figures.items():
        table.add_row(name, *(cell for metric in listed("image", headline=True) for cell in _cells(row, metric)))


def _title(metrics: Mapping[str, Any]) -> str:
    return ", ".join(f"{n} {name}" for name, n in metrics["n"].items())


def _cells(row: Mapping[str, Any], metric: Metric) -> tuple[str, str]:
    ends = row.get(metric.ci)
    return metric.written(row.get(metric.key)), " to ".join(map(metric.written, ends)) if ends else "–"
