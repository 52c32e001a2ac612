"""The paper's statements, held against cells that are known."""

import numpy as np
import pytest

from medad.experiments.reproduce.pitfalls.findings import closest, findings
from medad.experiments.reproduce.pitfalls.stored import Cell, Grid

VALUES, SIGMAS = np.linspace(0, 1, 21), np.linspace(0, 5, 11)


def grid(ap, names=VALUES):
    ap = np.asarray(ap, float)
    return Grid(tuple(map(str, names)), tuple(map(str, SIGMAS)), ap, np.zeros_like(ap), np.zeros_like(ap))


def published():
    """Cells as the paper has them: blind about 0.35 from sigma 1 on, 0.6 for dark disks, sure of the brightest."""
    blurred = np.interp(VALUES, [0, 0.2, 0.35, 0.55, 0.9, 0.95, 1], [0.6, 0.2, 0.05, 0.25, 0.85, 0.95, 1])
    return grid(np.where(SIGMAS < 1, 1, blurred[:, None]))


def even():
    """Symmetric cells, 0.45 at both ends."""
    return grid(np.repeat(0.45 - 0.4 * (1 - np.abs(2 * VALUES - 1))[:, None], 11, axis=1))


def curves():
    names, ap = ("pixel shuffle", "source deformation", "sink deformation"), np.where(SIGMAS < 1, 1, 0.2)
    return grid(np.tile(ap, (3, 1)), names)


def test_what_the_paper_saw_holds_in_cells_like_its_own():
    every = list(findings({"pitfalls1": published(), "pitfalls1b": even(), "pitfalls2": curves()}))
    assert len(every) == 11 and all(one.holds for one in every)


def test_no_statement_about_blind_spots_holds_where_all_is_found():
    perfect = grid(np.ones((21, 11)))
    held = [one.paper for one in findings({"pitfalls1": perfect, "pitfalls1b": perfect})]
    holds = [one.holds for one in findings({"pitfalls1": perfect, "pitfalls1b": perfect})]
    assert len(held) == 9 and holds == [True] + [False] * 8


def test_figures_stand_beside_the_statements():
    found = [one.found for one in findings({"pitfalls1": published()})]
    assert found == [
        "lowest AP 1.00, mean 1.00",
        "below 0.3 for 0.20 to 0.55; lowest AP 0.05",
        "0.05 at 0.35",
        "above 0.9 for 0.95 to 1.00",
        "0.60 ± 0.00 over images",
    ]


def test_the_closest_row_has_the_least_sum_of_differences():
    rows = np.array([[0.0, 0.0], [0.5, 0.5], [1.0, 0.4]])
    assert [closest(np.array(curve), rows) for curve in ([0.4, 0.6], [1, 0], [0.1, 0])] == [1, 2, 0]


def test_cells_make_a_grid_blur_by_blur():
    cells = [Cell(a, s, f"{i}", "0", "1") for i, (s, a) in enumerate((s, a) for s in ("0", "2.5") for a in ("0", "1"))]
    found = Grid.of(cells)
    np.testing.assert_array_equal(found.ap, [[0, 2], [1, 3]])
    np.testing.assert_array_equal(found.at(3), [2, 3])
    assert found.intensities == pytest.approx([0, 1])
