"""The cells of a benchmark by their readable names, each with a link to its report."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from medad.files import replacing
from medad.reports.html import Html, element, html, link, page, section, table


@dataclass(frozen=True)
class CellReport:
    """One training of the grid: data set, label, seed, and its report, None where there is none."""

    data: str
    label: str
    seed: int
    report: Path | None


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


def _seed(cell: CellReport, folder: Path) -> Html:
    if cell.report is None:  # its result was taken from elsewhere
        return html(f"seed {cell.seed}: no report")
    return link(Path(os.path.relpath(cell.report, folder)).as_posix(), f"seed {cell.seed}")
