"""The cells of a benchmark by their readable names, each with a link to its report, and their figures of pixels."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from medad.evaluation.metric_list import listed
from medad.files import replacing
from medad.reports.html import Html, element, html, link, page, section, table
from medad.reports.tables import INTERVALS, explained, figure, known


@dataclass(frozen=True)
class CellReport:
    """One training of the grid: data set, label, seed, its report, None where there is none, and figures of pixels.

    `pixel` is that of metrics.json, figures by map; empty where there are no masks or maps.
    """

    data: str
    label: str
    seed: int
    report: Path | None
    pixel: Mapping[str, Mapping] = field(default_factory=dict)


def write_cells(cells: Sequence[CellReport], file: Path) -> None:
    """Write the page `file` with links to the reports of all `cells`, whole or not at all."""
    with replacing(file) as partial:
        partial.write_text(page("Cells", element("h1", "Cells"), cells_section(cells, file.parent)), encoding="utf-8")


def cells_section(cells: Sequence[CellReport], folder: Path) -> Html:
    """Return a table of `cells`, a row for each data set and label, for a page in `folder`.

    Links are relative: they hold when the folder that has both the page and the reports is moved.
    """
    rows: dict[tuple[str, str], list[Html]] = {}
    for cell in cells:
        rows.setdefault((cell.data, cell.label), []).append(_seed(cell, folder))
    lines = [[data, label, Html(", ".join(seeds))] for (data, label), seeds in rows.items()]
    return section("Reports", table(["data", "method", "report of each seed"], lines, text=[2]))


def pixel_section(cells: Sequence[CellReport]) -> Iterator[Html]:
    """Yield a table of the figures of pixels, a row for each training and map, if there are any."""
    maps = [(cell, name, row) for cell in cells for name, row in cell.pixel.items()]
    shown = known(listed("pixel"), [row for _, _, row in maps])
    lines = [
        [cell.label, cell.data, cell.seed, element("code", name), *(figure(row, metric) for metric in shown)]
        for cell, name, row in maps
    ]
    if lines:
        head = ["method", "data", "seed", "map", *(metric.heading for metric in shown)]
        yield section("Pixels", table(head, lines), element("p", INTERVALS, "note"), explained(shown))


def _seed(cell: CellReport, folder: Path) -> Html:
    if cell.report is None:  # its result was taken from elsewhere
        return html(f"seed {cell.seed}: no report")
    return link(Path(os.path.relpath(cell.report, folder)).as_posix(), f"seed {cell.seed}")
