"""What the table says, in sentences that are made of its figures."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from medad.evaluation.scores import ScoreTable
from medad.experiments.reproduce.ocssl.columns import DDAD, Tables, best, controls_of, mean_auroc
from medad.experiments.reproduce.ocssl.differences import difference
from medad.experiments.reproduce.ocssl.rows import SHORTENED
from medad.experiments.reproduce.ocssl.stored import CONTROL

NU = "nu"
ONE_CLASS = "mahalanobis"


def lead(columns: Mapping[str, Tables], results: Path) -> Iterator[str]:
    """Yield what holds and what does not."""
    told = [line for title, tables in columns.items() for line in _of_set(title, tables)]
    if told:
        yield "\n".join(f"- {line}" for line in told)


def _of_set(title: str, tables: Tables) -> Iterator[str]:
    control = best(tables, controls_of(tables))
    if NU not in tables or control is None:
        return
    gap = difference(tables[NU], tables[control], len(tables))
    verdict = "clearly above" if gap.clear and gap.points > 0 else "not clearly above"
    told = (
        f"**{title}**: normal against unlabeled on frozen features (`nu`) has {_percent(tables[NU])}, {verdict} the "
        f"best trivial control ({control.removeprefix(CONTROL)}, {_percent(tables[control])})"
    )
    ddad = best(tables, DDAD)
    if ddad:
        told += f"; the best stored DDAD ({ddad}) has {_percent(tables[ddad])}"
    methods = set(tables) - {*controls_of(tables), *DDAD, *SHORTENED}  # what is shortened decides nothing
    weak = [n for n in methods if not _above(tables[n], tables[control], len(tables))]
    yield told + "."
    if weak:
        named = ", ".join(sorted(weak))
        yield f"{title}: not clearly above that control, so that they have shown no more than it: {named}."


def kinds(columns: Mapping[str, Tables]) -> Iterator[str]:
    """Yield what happens to what the unlabeled images did not hold."""
    lines = []
    for title, tables in columns.items():
        if NU in tables and ONE_CLASS in tables:
            gap = difference(tables[NU], tables[ONE_CLASS], len(tables))
            word = "above" if gap.points > 0 else "below"
            chance = "" if gap.clear else ", within chance"
            lines.append(f"- {title}: `nu` lies {abs(gap.points):.1f} points {word} one-class `{ONE_CLASS}`{chance}.")
    if lines:
        yield "\n".join(lines)


def _above(some: list[ScoreTable], reference: list[ScoreTable], rows: int) -> bool:
    gap = difference(some, reference, rows)
    return gap.clear and gap.points > 0


def _percent(some: list[ScoreTable]) -> str:
    return f"{100 * mean_auroc(some):.1f}"
