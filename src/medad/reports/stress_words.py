"""What a stress test found, in words: neighbouring cells in one sentence."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

LEVELS = {"image": "score", "pixel": "map"}  # of figures, and what gives them
NO_BETTER = "found no better than chance"
KINDS = {
    "intensity": "Disks of one intensity",
    "contrast": "Disks brighter or darker than what is there, with a hard edge",
    "soft contrast": "Disks brighter or darker than what is there, fading to the edge",
    "texture": "Disks of another texture",
}
TEXTURES = {"shuffle": "shuffled", "source": "magnified", "sink": "drawn together", "blur": "blurred"}

CellFigures = Mapping[str, Any]
Told = tuple[str, list[str]]  # a line, and what is listed below it
Box = tuple[slice, slice]  # of levels and of radii


def blind_words(found: Mapping[str, Any]) -> dict[str, list[Told]]:
    """Say of each score and each map to what it is blind.

    Parameters
    ----------
    found : mapping
        What ``stress.json`` holds.

    Returns
    -------
    dict
        ``deciding``: of the score and the map by which the run decides; ``others``: of all others.
    """
    names = [(level, what, name) for level, what in LEVELS.items() for name in found[f"{what}s"]]
    told = {(what, name): _of_one(found["cells"], level, what, name) for level, what, name in names}
    first = [(what, found[f"{what}s"][0]) for what in LEVELS.values() if found[f"{what}s"]]
    return {"deciding": [told[one] for one in first], "others": [told[one] for one in told if one not in first]}


def _of_one(cells: Sequence[CellFigures], level: str, what: str, name: str) -> Told:
    blind = [cell for cell in cells if cell[level][name]["blind"]]
    seen = sum(cell[level][name]["found"] for cell in cells)
    rest = len(cells) - len(blind) - seen
    counts = f"{what} {name} finds {seen} of {len(cells)} anomalies" + (f", and {rest} perhaps" if rest else "")
    if not blind:
        return f"{counts}; no blind cell", []
    verb = "is" if len(blind) == 1 else "are"
    return f"{counts}; {len(blind)} {verb} {NO_BETTER}:", list(ranges(cells, blind))


def lines(told: Iterable[Told]) -> Iterator[str]:
    """Return what is told as lines of a terminal."""
    for line, listed in told:
        yield line
        yield from (f"  - {item}" for item in listed)


def ranges(cells: Sequence[CellFigures], some: Sequence[CellFigures]) -> Iterator[str]:
    """Name some of the cells, neighbours together; ranges may overlap.

    Parameters
    ----------
    cells : sequence of mapping
        All cells that were looked at.
    some : sequence of mapping
        Those of them that are named.
    """
    radii = sorted({cell["radius"] for cell in cells})
    for kind in dict.fromkeys(cell["kind"] for cell in cells):
        levels = list(dict.fromkeys(cell["level"] for cell in cells if cell["kind"] == kind))
        chosen = {(cell["level"], cell["radius"]) for cell in some if cell["kind"] == kind}
        grid = np.array([[(level, radius) in chosen for radius in radii] for level in levels])
        if kind == "texture":
            yield from _textures(levels, radii, grid)
        else:
            yield from (f"{_strengths(kind, levels, rows)}, {_sizes(radii, columns)}" for rows, columns in boxes(grid))


def boxes(grid: np.ndarray) -> Iterator[Box]:
    """Cover what is true, (levels, radii) ``bool``, with rectangles, each the one that covers most of what is left."""
    edges = [list(combinations(range(count + 1), 2)) for count in grid.shape]
    whole = [box for a, b in edges[0] for c, d in edges[1] if grid[box := (slice(a, b), slice(c, d))].all()]
    rest = grid.copy()
    while rest.any():
        best = max(whole, key=lambda box: (rest[box].sum(), grid[box].sum()))
        rest[best] = False
        yield best


def _textures(levels: Sequence[str], radii: Sequence[float], grid: np.ndarray) -> Iterator[str]:
    """Name textures, which have no order, with the same sizes together."""
    sizes: dict[str, list[str]] = {}
    for level, row in zip(levels, grid, strict=True):
        for _, columns in boxes(row[None]):
            sizes.setdefault(_sizes(radii, columns), []).append(TEXTURES[level])
    yield from (f"disks whose texture is {' or '.join(names)}, {size}" for size, names in sizes.items())


def _strengths(kind: str, levels: Sequence[float], rows: slice) -> str:
    some = levels[rows]
    if kind == "intensity":
        if len(some) == len(levels):
            return "disks of every intensity"
        between = f"at {some[0]:g}" if len(some) == 1 else f"between {some[0]:g} and {some[-1]:g}"
        return f"disks {between} of the range"
    edge = "fading to the edge" if kind == "soft contrast" else "with a hard edge"
    if len(some) == len(levels):
        return f"disks of every contrast {edge}"
    return f"disks of contrast {some[0]:+g} {'' if len(some) == 1 else f'to {some[-1]:+g} '}{edge}"


def _sizes(radii: Sequence[float], columns: slice) -> str:
    some = [f"{100 * radius:g}" for radius in radii[columns]]
    if len(some) == len(radii):
        return "of every size"
    if columns.start == 0:
        return f"of radius up to {some[-1]} % of the side"
    return f"of radius {some[0] if len(some) == 1 else f'{some[0]} to {some[-1]}'} % of the side"
