"""Tables of a stress test: levels down, radii across."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from medad.evaluation.metric_list import AP, AUROC
from medad.reports.html import Html, bullets, element, join, table
from medad.reports.stress_words import KINDS, LEVELS, TEXTURES, CellFigures, Told

KEYS = {"image": AUROC.key, "pixel": AP.key}  # of what is told of a score, and of a map
HEADS = {"intensity": "intensity", "contrast": "contrast", "soft contrast": "contrast", "texture": "texture"}


def told(words: Iterable[Told]) -> Html:
    """Return what is told as a list of lists."""
    return bullets(join(line, bullets(listed)) if listed else line for line, listed in words)


def grid(cells: Sequence[CellFigures], kind: str, write: Callable[[CellFigures], object]) -> Html:
    """Return a table of the cells of a kind, each as `write` has it."""
    radii = sorted({cell["radius"] for cell in cells})
    at = {(cell["level"], cell["radius"]): cell for cell in cells if cell["kind"] == kind}
    levels = dict.fromkeys(level for level, _ in at)
    places = [[(level, radius) for radius in radii] for level in levels]
    rows = [[level_words(kind, row[0][0]), *(write(at[one]) if one in at else "–" for one in row)] for row in places]
    return table([HEADS[kind], *(f"radius {100 * radius:g} %" for radius in radii)], rows)


def all_grids(cells: Sequence[CellFigures], write: Callable[[CellFigures], object]) -> list[Html]:
    """Return such a table of each kind, under its heading."""
    return [join(element("h3", title), grid(cells, kind, write)) for kind, title in KINDS.items()]


def level_words(kind: str, level: Any) -> str:
    """Return a level as the table's first column has it."""
    if kind == "texture":
        return TEXTURES[level]
    return f"{level:g}" if kind == "intensity" else f"{level:+g}"


def figure_tables(found: Mapping[str, Any], kind: str) -> Iterator[Html]:
    """Yield tables of the score and the map that decide, and those of the others, folded away."""
    for level, what in LEVELS.items():
        for i, name in enumerate(found[f"{what}s"]):
            shown = grid(found["cells"], kind, partial(_figure, level, name))
            title = f"{what} {name}: {'AUROC' if level == 'image' else 'AP'}"
            if i == 0:
                yield join(element("h3", title), shown)
            else:
                yield element("details", join(element("summary", title), shown))


def _figure(level: str, name: str, cell: CellFigures) -> Html:
    """Return a figure with its interval, marked where the detector is blind."""
    figures, key = cell[level][name], KEYS[level]
    low, high = figures[f"{key}_ci"]
    mark = element("b", " blind") if figures["blind"] else ""
    return join(f"{figures[key]:.2f}", element("small", f"[{low:.2f}, {high:.2f}]"), mark)


def called_words(cell: CellFigures) -> Html:
    """Return the share of images with the anomaly that are called abnormal."""
    low, high = cell["called"]["share_ci"]
    share = f"{100 * cell['called']['share']:.0f} %"
    return join(share, element("small", f"[{100 * low:.0f}, {100 * high:.0f}]"))
