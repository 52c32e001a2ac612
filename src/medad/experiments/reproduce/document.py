"""The page of an experiment, and what it must know beside the scores: ``NAME.yaml``."""

import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from medad.errors import UserError
from medad.evaluation.comparison import Tables
from medad.experiments.deduplicated import MEANING, Kept
from medad.experiments.figures import WRITTEN
from medad.experiments.printed import printed_by
from medad.experiments.reproduce.sections import SECTIONS
from medad.files import replacing

APART = "**This is not preset paper**: a first look, whose figures and differences say nothing about the paper's."
IN_PERCENT = f"In %, {WRITTEN}. The single networks behind `a_rec` are trainings of their own."
OURS = "Our figures"  # heading, after the controls
NO_SHARES = ("fig8", "fig9")


@dataclass(frozen=True)
class Facts:
    """What was trained, for the head of the page.

    Attributes
    ----------
    dataset, preset, precision, machine : str
        Of the trainings.
    options : dict
        What differs from the preset.
    seeds : list of int
        Of the trainings that ended well.
    date : str
        When the page was first printed: all is trained by then.
    note : str
        What else is to be known of the trainings.
    """

    dataset: str
    preset: str
    precision: str
    machine: str
    seeds: list[int]
    options: dict[str, Any] = field(default_factory=dict)
    date: str = field(default_factory=lambda: str(datetime.date.today()))
    note: str = ""

    def write(self, file: Path) -> None:
        """Write them as YAML, whole or not at all."""
        with replacing(file) as partial:
            partial.write_text(yaml.safe_dump(asdict(self), sort_keys=False, allow_unicode=True), encoding="utf-8")

    @classmethod
    def read(cls, file: Path) -> "Facts":
        """Read what `write` wrote; UserError if it is something else."""
        try:
            return cls(**yaml.safe_load(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, yaml.YAMLError) as error:
            names = ", ".join(f.name for f in fields(cls))
            raise UserError(f"{file}: cannot be read; it must hold {names}") from error


def document(
    name: str, facts: Facts, tables: Tables, kept: Kept, controls: Iterable[str] = (), again: bool = False
) -> str:
    """Return the page of an experiment in Markdown.

    Parameters
    ----------
    name : str
        The experiment.
    facts : Facts
        What was trained.
    tables : mapping
        Scores by label, a table per seed.
    kept : frozenset of str or None
        Ids of the de-duplicated test split, if there is one.
    controls : iterable of str
        Paragraphs on what sees no pathology, for the top of the page.
    again : bool
        Whether the page is printed anew, from ``NAME.csv``.
    """
    parts = [*_heading(name, facts, kept, again), *controls, *SECTIONS[name][1](facts.dataset, tables, kept)]
    return "\n\n".join(parts) + "\n"


def _heading(name: str, facts: Facts, kept: Kept, again: bool) -> Iterator[str]:
    yield f"# {SECTIONS[name][0]}, on {facts.dataset}"
    trained = f"`medad reproduce {name}`: {_recipe(name, facts)}. Machine: {facts.machine}."
    if again:
        yield f"Trained until {facts.date} by {trained} {printed_by(f'medad results {name}')}."
    else:
        yield f"Printed on {facts.date} by {trained}"
    if facts.note:
        yield facts.note
    told = [IN_PERCENT] * (name not in NO_SHARES) + [MEANING] * (kept is not None and name != "fig9")
    if told:
        yield " ".join(told)
    if facts.preset != "paper":
        yield APART


def _recipe(name: str, facts: Facts) -> str:
    reduced = ", ".join(f"{key} {value}" for key, value in facts.options.items())
    where = ", as far as a method has them" if name == "table2" else ""
    options = f" **with other options than it: {reduced}**{where}" if reduced else ""
    return f"preset {facts.preset}{options}, {facts.precision}, seeds {_listed(facts.seeds)}"


def _listed(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds))
