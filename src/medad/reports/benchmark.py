"""Page and tables of a benchmark."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from medad.evaluation.comparison import Row, Tables, compare, score_names
from medad.evaluation.figure import Figure
from medad.evaluation.metric_list import listed
from medad.evaluation.statistics import RankComparison, few_words, friedman_nemenyi, wilcoxon
from medad.files import replacing
from medad.reports.benchmark_cells import CellReport, cells_section, pixel_section
from medad.reports.benchmark_figures import critical_difference_diagram, roc_overlay
from medad.reports.benchmark_tables import Rows, as_csv, html_table, latex, markdown, note
from medad.reports.figures import svg_uri
from medad.reports.html import Html, element, join, page, picture, section
from medad.reports.tables import explained

CONTROL = "control"  # in place of a score


def write_benchmark(
    results: Mapping[str, Tables],
    folder: Path,
    left_out: Sequence[str] = (),
    cells: Sequence[CellReport] = (),
    controls: Mapping[str, Mapping[str, Mapping]] | None = None,
) -> Path:
    """Write ``table.md``, ``table.tex``, ``table.csv`` and ``index.html``.

    Parameters
    ----------
    results : mapping
        By data set the tables of scores by method, one per seed.
    folder : Path
        Made if missing.
    left_out : sequence of str
        What is not in the tables, and why.
    cells : sequence of CellReport
        The trainings behind the tables; the page links to their reports.
    controls : mapping, optional
        By data set the figures of the trivial controls, as ``metrics.json`` has them: rows above the methods.

    Returns
    -------
    Path
        The page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    blind = {data: list(_control_rows((controls or {}).get(data, {}))) for data in results}
    main = {data: [*blind[data], *compare(tables)] for data, tables in results.items()}
    every = {data: list(_all_scores(tables)) for data, tables in results.items()}
    further = [cells_section(cells, folder), *pixel_section(cells)] if cells else []
    files = {
        "table.md": "\n\n".join([markdown(main), *_notes(results, left_out)]) + "\n",
        "table.tex": latex(main),
        "table.csv": as_csv({data: [*blind[data], *rows] for data, rows in every.items()}),
        "index.html": _page(results, main, every, left_out, further),
    }
    for name, text in files.items():
        with replacing(folder / name) as partial:
            partial.write_text(text, encoding="utf-8")
    return folder / "index.html"


def _control_rows(figures: Mapping[str, Mapping]) -> Iterator[Row]:
    """Yield the trivial controls of a data set as rows, without seeds and without tests."""
    for name, row in figures.items():
        shown = (metric for metric in listed("image") if row.get(metric.ci))
        yield Row(name, CONTROL, 0, {m.key: Figure(row[m.key], None, *row[m.ci]) for m in shown})


def _notes(results: Mapping[str, Tables], left_out: Sequence[str]) -> Iterator[str]:
    yield note()
    for data, tables in results.items():
        labels = next(iter(tables.values()))[0].gt_label
        assert labels is not None
        if words := few_words(int((labels == 0).sum()), int((labels == 1).sum())):
            yield f"{data}: {words}"
    if left_out:
        yield f"Not in the tables: {'; '.join(left_out)}."


def _all_scores(tables: Tables) -> Iterator[Row]:
    """Yield the rows of every score, with all metrics of images."""
    for score in score_names(tables):
        yield from compare(tables, score, listed("image"))


def _methods(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row.score != CONTROL]


def ranking(results: Rows) -> tuple[list[str], np.ndarray] | None:
    """Return the methods that every data set has and their AUROCs, (sets, methods); None for fewer than 2 of either."""
    values = {data: {row.label: row.auroc.mean for row in _methods(rows)} for data, rows in results.items()}
    common = [label for label in next(iter(values.values()), {}) if all(label in row for row in values.values())]
    if len(values) < 2 or len(common) < 2:
        return None
    return common, np.array([[row[label] for label in common] for row in values.values()])


def _page(
    results: Mapping[str, Tables], main: Rows, every: Rows, left_out: Sequence[str], further: Sequence[Html]
) -> str:
    notes = [element("p", line, "note") for line in _notes(results, left_out)]
    parts = [element("h1", "Benchmark"), section("Methods", html_table(main, listed("image", headline=True)), *notes)]
    over_sets = ranking(main)
    if over_sets:
        unranked = sorted({row.label for rows in main.values() for row in _methods(rows)} - set(over_sets[0]))
        parts.append(_over_sets(*over_sets, unranked))
    overlay = picture(svg_uri(roc_overlay(results)), "ROC curves", "Mean over seeds of the true positive rate.")
    metrics = listed("image")
    scores = section("All scores", html_table(every, metrics), explained(metrics))
    parts += [section("ROC curves", overlay), scores, *further]
    return page("Benchmark", *parts)


def _over_sets(methods: list[str], values: np.ndarray, unranked: Sequence[str]) -> Html:
    without = f"Not on every data set, and so left out here: {', '.join(unranked)}." if unranked else ""
    if len(methods) == 2:
        pair = wilcoxon(*values.T)
        how = "exact" if pair.exact else "normal approximation"
        line = f"Wilcoxon's signed-rank test of {methods[0]} and {methods[1]} over data sets ({how}): p = {pair.p:.3g}."
        return section("Over data sets", element("p", line), element("p", f"{pair.note} {without}", "note"))
    found = friedman_nemenyi(values)
    diagram = svg_uri(critical_difference_diagram(methods, found))
    words = join(_words(found, values), f" {without}")
    return section("Over data sets", picture(diagram, "critical differences", words))


def _words(found: RankComparison, values: np.ndarray) -> Html:
    sets, methods = values.shape
    hopeless = found.critical_difference > methods - 1  # the most by which mean ranks differ
    return join(
        f"Mean ranks of {methods} methods over {sets} data sets (1 is the best); bars join methods that do not differ "
        f"significantly at 5 % (Nemenyi, critical difference {found.critical_difference:.2f}). Friedman: "
        f"χ² = {found.chi2:.2f}, p = {found.chi2_p:.3g}; Iman and Davenport: F = {found.f:.2f}, p = {found.f_p:.3g}."
        f"{' No two can differ significantly over so few data sets.' if hopeless else ''}"
    )
