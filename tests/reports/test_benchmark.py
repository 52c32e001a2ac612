"""Tables and page of a benchmark."""

import csv
import re

import numpy as np
import pytest

from medad.evaluation.scores import ScoreTable
from medad.evaluation.statistics import friedman_nemenyi
from medad.reports.benchmark import ranking, write_benchmark
from medad.reports.benchmark_cells import CellReport, write_cells
from medad.reports.benchmark_figures import critical_difference_diagram

LABELS = np.repeat([0, 1], 40)


def make_tables(seed, methods):
    rng = np.random.default_rng(seed)
    names = tuple(f"{i}.png" for i in range(80))
    return {
        label: [ScoreTable(names, LABELS, {"pred_score": rng.normal(size=80) + strength * LABELS}) for _ in range(3)]
        for label, strength in methods.items()
    }


@pytest.fixture
def results():
    methods = {"ddad & <co>_1": 3.0, "alike": 2.9, "poor|one": 0.0}
    return {f"set {i}": make_tables(i, methods) for i in range(3)}


def test_all_forms_say_the_same(tmp_path, results):
    page = write_benchmark(results, tmp_path, ["<other> on set 1, seed 0: no memory"])
    with (tmp_path / "table.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 9
    markdown, tex, html = ((tmp_path / name).read_text() for name in ("table.md", "table.tex", "index.html"))
    assert page == tmp_path / "index.html"
    for row in rows:
        figure = f"{100 * float(row['auroc_mean']):.1f}"
        assert figure in markdown
        assert figure in tex
        assert figure in html
    assert markdown.count("**") == 2 * 3
    assert markdown.count("<u>") == 3
    assert "poor\\|one" in markdown
    assert tex.count(r"\textbf{") == tex.count(r"\underline{") == 3
    assert r"ddad \& <co>\_1" in tex
    assert "ddad &amp; &lt;co&gt;_1" in html
    assert "Nemenyi, critical difference 1.91" in html
    assert "No two can differ significantly" not in html
    assert "Not in the tables: &lt;other&gt; on set 1, seed 0: no memory." in html
    assert "Not in the tables: <other> on set 1, seed 0: no memory." in markdown
    assert "Not on every data set" not in html
    few = write_benchmark({name: results[name] for name in ("set 0", "set 1")}, tmp_path / "few").read_text()
    assert "No two can differ significantly over so few data sets." in few
    assert not re.search(r"(src|href)=\"http", html)


def test_cells_are_named_and_linked_from_where_the_page_lies(results, tmp_path):
    cells = [
        CellReport("set 0", "a & b", 0, tmp_path / "cells" / "0f" / "report.html"),
        CellReport("set 0", "a & b", 1, tmp_path / "cells" / "1f" / "report.html"),
        CellReport("set 1", "a & b", 0, None),
    ]
    for cell in cells[:2]:
        cell.report.parent.mkdir(parents=True)
        cell.report.touch()
    write_benchmark(results, tmp_path / "report", cells=cells)
    write_cells(cells, tmp_path / "cells.html")
    moved = (tmp_path / "report").rename(tmp_path / "moved")  # beside the cells still
    for page in (moved / "index.html", tmp_path / "cells.html"):
        text = page.read_text()
        links = re.findall(r'<a href="([^"]+)">(seed \d)</a>', text)
        assert [name for _, name in links] == ["seed 0", "seed 1"]
        assert [(page.parent / address).resolve() for address, _ in links] == [cell.report for cell in cells[:2]]
        assert text.count("<td>a &amp; b</td>") == 2 and "seed 0: no report" in text


def test_two_methods_are_compared_by_wilcoxon_and_it_is_said_that_this_shows_little(tmp_path):
    results = {f"set {i}": make_tables(i, {"a": 1.0, "b": 0.0}) for i in range(3)}
    text = write_benchmark(results, tmp_path).read_text()
    assert "Wilcoxon" in text
    assert "3 pairs: the smallest possible p is 0.25" in text


def test_methods_are_ranked_over_the_sets_that_all_have(results, tmp_path):
    results["set 0"] = {label: some for label, some in results["set 0"].items() if label != "alike"}
    from medad.evaluation.comparison import compare

    rows = {data: compare(tables) for data, tables in results.items()}
    methods, values = ranking(rows)
    assert methods == ["ddad & <co>_1", "poor|one"]
    assert values.shape == (3, 2)
    assert ranking({"one": rows["set 0"]}) is None
    text = write_benchmark(results, tmp_path).read_text()
    assert "Not on every data set, and so left out here: alike." in text


def test_the_diagram_names_every_method_once():
    found = friedman_nemenyi(np.random.default_rng(0).normal(size=(6, 7)) + np.arange(7))
    methods = [f"method {i}" for i in range(7)]
    texts = [text.get_text().strip() for text in critical_difference_diagram(methods, found).axes[0].texts]
    for i, method in enumerate(methods):
        assert f"{method} ({found.mean_ranks[i]:.2f})" in texts
    assert f"critical difference {found.critical_difference:.2f}" in texts


def test_controls_stand_above_the_methods_and_are_not_ranked(tmp_path, results):
    row = {"auroc": 0.6543, "auroc_ci": [0.6, 0.7], "ap": 0.5, "ap_ci": [0.4, 0.6]}
    page = write_benchmark(results, tmp_path, controls={"set 1": {"thumbnail": row}}).read_text()
    line = "| set 1 | thumbnail | control |  | 65.4 [60.0, 70.0] | 50.0 [40.0, 60.0] |  |"
    lines = (tmp_path / "table.md").read_text().splitlines()
    assert lines.index(line) == 2 + 3  # the first row of its data set
    assert "thumbnail" in page and "65.4 [60.0, 70.0]" in page and "thumbnail" in (tmp_path / "table.tex").read_text()
    rows = list(csv.DictReader((tmp_path / "table.csv").open()))
    assert [r["auroc_mean"] for r in rows if r["score"] == "control"] == ["0.654300"]
    assert "Not on every data set" not in page
