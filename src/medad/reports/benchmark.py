"""Tables and page of a benchmark: Markdown, LaTeX, CSV and self-contained HTML."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from medad.evaluation.comparison import Figure, Row, Tables, compare, score_names
from medad.evaluation.statistics import RankComparison, few_words, friedman_nemenyi, wilcoxon
from medad.files import replacing
from medad.reports.benchmark_cells import CellReport, cells_section
from medad.reports.benchmark_figures import critical_difference_diagram, roc_overlay
from medad.reports.figures import svg_uri
from medad.reports.html import Html, element, html, join, page, picture, section, table
from medad.reports.markdown import markdown_table

NOTE = (
    "AUROC and AP in %: mean over trainings ± their sample standard deviation; in brackets the 95 % interval. Of "
    "several trainings it holds the chance in training and in the choice of images, of one the choice of images "
    "only; the images of a patient are not taken for independent. Bold: of the methods that have the score, the "
    "highest AUROC on the data set; underlined: not significantly worse at 5 % (p holds images and trainings, and "
    "is adjusted for all pairs of methods). †: one of the two was trained once, so p speaks of these trainings, "
    "not of the methods. Rows whose score is control see no pathology, only brightness, texture, file size or "
    "coarse form."
)
HEAD = ("data", "method", "score", "seeds", "AUROC", "AP", "p against the best")
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
        By data set the figures of the trivial controls, as ``metrics.json`` has them: rows below the methods.

    Returns
    -------
    Path
        The page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    blind = {data: list(_control_rows((controls or {}).get(data, {}))) for data in results}
    main = {data: [*compare(tables), *blind[data]] for data, tables in results.items()}
    files = {
        "table.md": "\n\n".join([markdown(main), *_notes(results, left_out)]) + "\n",
        "table.tex": latex(main),
        "table.csv": as_csv({data: [*rows, *blind[data]] for data, rows in _all_scores(results).items()}),
        "index.html": _page(results, main, left_out, [cells_section(cells, folder)] if cells else []),
    }
    for name, text in files.items():
        with replacing(folder / name) as partial:
            partial.write_text(text, encoding="utf-8")
    return folder / "index.html"


def _control_rows(figures: Mapping[str, Mapping]) -> Iterator[Row]:
    """Yield the trivial controls of a data set as rows, without seeds and without tests."""
    for name, row in figures.items():
        auroc, ap = (Figure(row[key], None, *row[f"{key}_ci"]) for key in ("auroc", "ap"))
        yield Row(name, CONTROL, 0, auroc, ap)


def _notes(results: Mapping[str, Tables], left_out: Sequence[str]) -> Iterator[str]:
    yield NOTE
    for data, tables in results.items():
        labels = next(iter(tables.values()))[0].gt_label
        assert labels is not None
        if words := few_words(int((labels == 0).sum()), int((labels == 1).sum())):
            yield f"{data}: {words}"
    if left_out:
        yield f"Not in the tables: {'; '.join(left_out)}."


def _all_scores(results: Mapping[str, Tables]) -> dict[str, list[Row]]:
    return {
        data: [row for score in score_names(tables) for row in compare(tables, score)]
        for data, tables in results.items()
    }


def _p(row: Row) -> str:
    if row.p is None or np.isnan(row.p):
        return "" if row.p is None else "undefined"
    return (f"{row.p:.3f}" if row.p >= 0.001 else "< 0.001") + " †" * row.lone


def _lines(results: Mapping[str, Sequence[Row]], mark: Callable[[Row, str], str], sign: str) -> Iterator[list[str]]:
    """Yield the cells of the main table; `mark` sets off the AUROC of the best rows."""
    for data, rows in results.items():
        for row in rows:
            auroc = mark(row, row.auroc.in_percent(sign))
            yield [data, row.label, row.score, str(row.seeds or ""), auroc, row.ap.in_percent(sign), _p(row)]


def markdown(results: Mapping[str, Sequence[Row]]) -> str:
    """Return the main table in Markdown."""

    def mark(row: Row, text: str) -> str:
        return f"**{text}**" if row.best else f"<u>{text}</u>" if row.close else text

    return markdown_table([HEAD, *_lines(results, mark, "±")])


def latex(results: Mapping[str, Sequence[Row]]) -> str:
    """Return the main table in LaTeX, for the package booktabs, with its note as a comment."""

    def mark(row: Row, text: str) -> str:
        return rf"\textbf{{{text}}}" if row.best else rf"\underline{{{text}}}" if row.close else text

    lines = list(_lines(results, mark, r"$\pm$"))
    plain = [
        [*(_tex(cell) for cell in line[:4]), *line[4:6], line[6].replace("<", "$<$").replace("†", r"$\dagger$")]
        for line in lines
    ]
    body = [" & ".join(line) + r" \\" for line in plain]
    head = " & ".join(HEAD) + r" \\"
    begin, end = [r"\begin{tabular}{lllrllr}", r"\toprule"], [r"\bottomrule", r"\end{tabular}", ""]
    return "\n".join([f"% {NOTE}", *begin, head, r"\midrule", *body, *end])


def _tex(text: str) -> str:
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return "".join(special.get(c, rf"\{c}" if c in "&%$#_{}" else c) for c in text)


def as_csv(results: Mapping[str, Sequence[Row]]) -> str:
    """Return every score of every method as CSV, shares in [0, 1]."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    parts = ("mean", "sd", "low", "high")
    metrics = [f"{name}_{part}" for name in ("auroc", "ap") for part in parts]
    writer.writerow(["data", "method", "score", "seeds", *metrics, "p_against_best"])
    for data, rows in results.items():
        for row in rows:
            figures = [getattr(figure, part) for figure in (row.auroc, row.ap) for part in parts]
            cells = ["" if value is None else f"{value:.6f}" for value in (*figures, row.p)]
            writer.writerow([data, row.label, row.score, row.seeds, *cells])
    return text.getvalue()


def _methods(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row.score != CONTROL]


def ranking(results: Mapping[str, Sequence[Row]]) -> tuple[list[str], np.ndarray] | None:
    """Return the methods that every data set has and their AUROCs, (sets, methods); None for fewer than 2 of either."""
    values = {data: {row.label: row.auroc.mean for row in _methods(rows)} for data, rows in results.items()}
    common = [label for label in next(iter(values.values()), {}) if all(label in row for row in values.values())]
    if len(values) < 2 or len(common) < 2:
        return None
    return common, np.array([[row[label] for label in common] for row in values.values()])


def _page(
    results: Mapping[str, Tables], main: Mapping[str, Sequence[Row]], left_out: Sequence[str], further: Sequence[Html]
) -> str:
    notes = [element("p", line, "note") for line in _notes(results, left_out)]
    parts = [element("h1", "Benchmark"), section("Methods", _table(main), *notes)]
    over_sets = ranking(main)
    if over_sets:
        unranked = sorted({row.label for rows in main.values() for row in _methods(rows)} - set(over_sets[0]))
        parts.append(_over_sets(*over_sets, unranked))
    overlay = picture(svg_uri(roc_overlay(results)), "ROC curves", "Mean over seeds of the true positive rate.")
    parts += [section("ROC curves", overlay), section("All scores", _table(_all_scores(results))), *further]
    return page("Benchmark", *parts)


def _table(results: Mapping[str, Sequence[Row]]) -> Html:
    rows = []
    for data, lines in results.items():
        for row in lines:
            auroc = html(row.auroc.in_percent())
            auroc = element("b", auroc) if row.best else element("u", auroc) if row.close else auroc
            cells = [row.label, data, element("code", row.score), row.seeds or "", auroc, row.ap.in_percent(), _p(row)]
            rows.append(cells)
    return table((HEAD[1], HEAD[0], *HEAD[2:]), rows)  # a row is named by its method also where the rest scrolls


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
