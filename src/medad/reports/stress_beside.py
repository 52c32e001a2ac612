"""Two stress tests side by side: what one run finds and the other does not, by what decides in each."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from medad.reports.html import Html, element, join, section
from medad.reports.stress_tables import KEYS, all_grids, told
from medad.reports.stress_words import LEVELS, CellFigures, Told, ranges

Found = Mapping[str, Any]
SETTINGS = ("data", "images", "seed", "size")


def beside_words(found: Found, other: Found) -> Iterator[Told]:
    """Say to what one run is blind and the other is not, and in what the two tests differ.

    Parameters
    ----------
    found, other : mapping
        What the ``stress.json`` of each holds.
    """
    differ = [f"{name} {found[name]} and {other[name]}" for name in SETTINGS if found[name] != other[name]]
    if found["fingerprint"] != other["fingerprint"] and not differ:
        yield "the two tests are not of all the same images: the runs have not learned from the same ones", []
    if differ:
        yield f"the two tests differ in more than the run: {', '.join(differ)}", []
    for level, what in LEVELS.items():
        cells = _shared(found, other, level)
        for one, two in (("this run", "the other"), ("the other", "this run")):
            alone = [cell for cell in cells if cell[one]["blind"] and not cell[two]["blind"]]
            if cells:
                where = [] if alone else ["nowhere"]
                yield f"by its {what}, {one} is blind where {two} is not:", [*where, *ranges(cells, alone)]


def beside_section(found: Found, other: Found) -> Html:
    """Return words and tables: the figure of each run in each cell, and the difference."""
    words = f"This run is {_named(found)}, the other {_named(other)}."
    parts = [element("p", words), told(beside_words(found, other))]
    for level, what in LEVELS.items():
        cells = _shared(found, other, level)
        if cells:
            head = f"{KEYS[level].upper()} of the {what}: this run, the other, and the difference"
            grids = all_grids(cells, partial(_difference, KEYS[level]))
            parts.append(element("details", join(element("summary", head), *grids)))
    return section("Two runs side by side", *parts)


def _named(found: Found) -> str:
    deciding = [f"{what} {found[f'{what}s'][0]}" for what in LEVELS.values() if found[f"{what}s"]]
    return f"{found['method']}, seed {found['run_seed']} ({', '.join(deciding)})"


def _shared(found: Found, other: Found, level: str) -> list[CellFigures]:
    """Return the cells of both tests with the figures of each run; none where a run lacks what gives them."""
    names = [one[f"{LEVELS[level]}s"] for one in (found, other)]
    if not all(names):
        return []
    others = {_place(cell): cell[level][names[1][0]] for cell in other["cells"]}
    return [
        {key: cell[key] for key in ("kind", "level", "radius")}
        | {"this run": cell[level][names[0][0]], "the other": others[_place(cell)]}
        for cell in found["cells"]
        if _place(cell) in others
    ]


def _place(cell: CellFigures) -> tuple[Any, ...]:
    return cell["kind"], cell["level"], cell["radius"]


def _difference(key: str, cell: CellFigures) -> Html:
    first, second = cell["this run"][key], cell["the other"][key]
    return join(f"{first:.2f}, {second:.2f}", element("small", f"{first - second:+.2f}"))
