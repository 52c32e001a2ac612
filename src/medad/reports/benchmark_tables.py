"""The table of a benchmark in Markdown, LaTeX, CSV and HTML: its columns are those of the list of metrics."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from medad.evaluation.comparison import Row
from medad.evaluation.metric import Metric
from medad.evaluation.metric_list import AUROC, listed
from medad.reports.html import Html, element, html, table
from medad.reports.markdown import markdown_table

Rows = Mapping[str, Sequence[Row]]  # by data set
_BEFORE, _AFTER = ("data", "method", "score", "seeds"), "p against the best"  # of the metrics
_PARTS = ("mean", "sd", "low", "high")


def note() -> str:
    """Return what stands below the table of methods."""
    *names, last = (metric.name for metric in listed("image", headline=True))
    return (
        f"{', '.join(names)} and {last} in %: mean over trainings ± their sample standard deviation; in brackets the "
        "95 % interval. Of several trainings it holds the chance in training and in the choice of images, of one the "
        "choice of images only; the images of a patient are not taken for independent. Bold: of the methods that have "
        f"the score, the highest {AUROC.name} on the data set; underlined: not significantly worse at 5 % (p holds "
        "images and trainings, and is adjusted for all pairs of methods). †: one of the two was trained once, so p "
        "speaks of these trainings, not of the methods. Rows whose score is control see no pathology, only "
        "brightness, texture, file size or coarse form."
    )


def _lines(
    results: Rows, metrics: Sequence[Metric], mark: Callable[[Row, str], str], sign: str = "±"
) -> Iterator[tuple[list, list[str], str]]:
    """Yield what stands before the figures, the figures, and p; `mark` sets off that by which methods are compared."""
    for data, rows in results.items():
        for row in rows:
            texts = {m: row.figures[m.key].written(m.written, sign) if m.key in row.figures else "" for m in metrics}
            marked = [mark(row, text) if metric is AUROC else text for metric, text in texts.items()]
            yield [data, row.label, row.score, row.seeds or ""], marked, _p(row)


def _p(row: Row) -> str:
    if row.p is None or np.isnan(row.p):
        return "" if row.p is None else "undefined"
    return (f"{row.p:.3f}" if row.p >= 0.001 else "< 0.001") + " †" * row.lone


def markdown(results: Rows) -> str:
    """Return the table of methods in Markdown."""

    def mark(row: Row, text: str) -> str:
        return f"**{text}**" if row.best else f"<u>{text}</u>" if row.close else text

    metrics = listed("image", headline=True)
    lines = [[*map(str, before), *figures, p] for before, figures, p in _lines(results, metrics, mark)]
    return markdown_table([[*_BEFORE, *(metric.name for metric in metrics), _AFTER], *lines])


def latex(results: Rows) -> str:
    """Return the table of methods in LaTeX, for the package booktabs, with its note as a comment."""

    def mark(row: Row, text: str) -> str:
        return rf"\textbf{{{text}}}" if row.best else rf"\underline{{{text}}}" if row.close else text

    metrics = listed("image", headline=True)
    head = [*_BEFORE, *(_tex(metric.name) for metric in metrics), _AFTER]
    lines = [
        [*(_tex(str(cell)) for cell in before), *figures, p.replace("<", "$<$").replace("†", r"$\dagger$")]
        for before, figures, p in _lines(results, metrics, mark, r"$\pm$")
    ]
    first, *body = (" & ".join(line) + r" \\" for line in [head, *lines])
    begin = [rf"\begin{{tabular}}{{lllr{'l' * len(metrics)}r}}", r"\toprule", first, r"\midrule"]
    return "\n".join([f"% {note()}", *begin, *body, r"\bottomrule", r"\end{tabular}", ""])


def _tex(text: str) -> str:
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return "".join(special.get(c, rf"\{c}" if c in "&%$#_{}" else c) for c in text)


def as_csv(results: Rows) -> str:
    """Return every score of every method with all metrics of images as CSV, shares in [0, 1]."""
    text = io.StringIO()
    writer, keys = csv.writer(text, lineterminator="\n"), [metric.key for metric in listed("image")]
    columns = [f"{key}_{part}" for key in keys for part in _PARTS]
    writer.writerow([*_BEFORE, *columns, "p_against_best"])
    for data, rows in results.items():
        for row in rows:
            figures = [getattr(row.figures.get(key), part, None) for key in keys for part in _PARTS]
            cells = ["" if value is None else f"{value:.6f}" for value in (*figures, row.p)]
            writer.writerow([data, row.label, row.score, row.seeds, *cells])
    return text.getvalue()


def html_table(results: Rows, metrics: Sequence[Metric]) -> Html:
    """Return a table with these metrics in HTML; a row is named by its method also where the rest scrolls."""

    def mark(row: Row, text: str) -> str:
        return element("b", text) if row.best else element("u", text) if row.close else html(text)

    lines = [
        [method, data, element("code", score), seeds, *figures, p]
        for (data, method, score, seeds), figures, p in _lines(results, metrics, mark)
    ]
    data, method, *others = _BEFORE
    return table([method, data, *others, *(metric.heading for metric in metrics), _AFTER], lines)
