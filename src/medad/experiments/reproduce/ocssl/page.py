"""The page of the table, in Markdown."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from medad.evaluation.comparison import compare
from medad.evaluation.scores import ScoreTable
from medad.experiments.deduplicated import MEANING as CLEAN
from medad.experiments.figures import WRITTEN
from medad.experiments.printed import printed_by
from medad.experiments.reproduce.ocssl import curves, prose
from medad.experiments.reproduce.ocssl.columns import DDAD, KINDS, SETS, Tables, best, controls_of, read_columns
from medad.experiments.reproduce.ocssl.differences import difference
from medad.experiments.reproduce.ocssl.rows import ROWS, SHORTENED
from medad.experiments.reproduce.ocssl.stored import CONTROL, FOLDER, read_about
from medad.reports.markdown import markdown_table

HOW = (
    "Every choice is made without labels of unlabeled images and without test images. Methods on features look at "
    "128 x 128 pixels through EfficientNet-Lite0 with ImageNet's weights; the trivial controls see no pathology: they "
    "are the line against which a figure is read. DDAD's rows are its stored runs of preset paper (64 x 64, R_dual). "
    f"AUROC in %: {WRITTEN}."
)


def page(results: Path, command: str = "medad results ocssl") -> str:
    """Return the page, from the scores stored below ``results/ocssl``."""
    columns = read_columns(SETS, results)
    abouts = list(_abouts(results))
    parts = [
        "# What unlabeled images are worth",
        f"{printed_by(command)} from the scores in `{FOLDER}/`, stored by `medad reproduce ocssl` "
        f"{_when(abouts)}. Machine: {_machines(abouts)}.",
        *prose.lead(columns, results),
        HOW,
        "## The table",
        _figures(columns),
        "## Beside the best control, and beside DDAD",
        "Points of AUROC above the best trivial control of the column (it is picked on the same test images, so that "
        "nothing is given away) and, behind the slash, above the best stored DDAD. A star: more than chance, by "
        "DeLong's paired test with the chance in training where there are several, adjusted for the number of rows.",
        _beside(columns),
        "## Kinds that the unlabeled images did not hold, and another collection",
        "Only one kind of tumour among the unlabeled images; the de-duplicated normal test images against each kind; "
        "rows that learn from normal images alone are trained as above. "
        "*Another collection*: the usual training, tumours of brain_tumor_masks against the same normal images. Those "
        "are brighter than the normal images, the published ones darker: it compares shifts as much as pathology.",
        _figures(read_columns(KINDS, results)),
        *prose.kinds(read_columns(KINDS, results)),
        *curves.section(results),
        "## Seconds",
        "Of fitting and of scoring the test images on one core, other processes beside it; brain_tumor, mean over "
        "trainings. Descriptors are computed once for all methods ([speed](../performance.md)), here in the first row; "
        "methods that look at every place look at the images themselves.",
        _seconds(results),
        f"{CLEAN}",
        *_notes(results),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def pictures(results: Path) -> dict[str, bytes]:
    """Return the figures of the page, PNG files by name."""
    return curves.pictures(results)


def ordered(names: Sequence[str]) -> list[str]:
    """Return the rows as the page has them: controls, DDAD, then the methods."""
    controls = [name for name in names if name.startswith(CONTROL)]
    methods = [row.name for row in ROWS if row.name in names]
    return [*controls, *(name for name in DDAD if name in names), *methods]


def _figures(columns: Mapping[str, Tables]) -> str:
    names = ordered(list(dict.fromkeys(name for tables in columns.values() for name in tables)))
    rows = [["", *columns]]
    for name in names:
        rows.append([_shown(name), *(_cell(tables.get(name)) for tables in columns.values())])
    return markdown_table(rows)


def _cell(some: Sequence[ScoreTable] | None) -> str:
    return compare({"": some})[0].auroc.in_percent() if some else ""


def _shown(name: str) -> str:
    if name.startswith(CONTROL):
        return f"*{name.removeprefix(CONTROL)}*"
    return f"{name}, shortened" if name in SHORTENED else name


def _beside(columns: Mapping[str, Tables]) -> str:
    shown = {title: tables for title, tables in columns.items() if controls_of(tables)}
    names = [n for n in ordered(list(dict.fromkeys(n for t in shown.values() for n in t))) if not n.startswith(CONTROL)]
    rows = [["", *(f"{title} ({_shown(str(best(t, controls_of(t))))})" for title, t in shown.items())]]
    rows += [[_shown(name), *(_against(name, tables) for tables in shown.values())] for name in names]
    return markdown_table(rows)


def _against(name: str, tables: Tables) -> str:
    if name not in tables:
        return ""
    references = [best(tables, controls_of(tables)), best(tables, [ddad for ddad in DDAD if ddad != name])]
    told = [str(difference(tables[name], tables[one], len(tables))) for one in references if one is not None]
    return " / ".join(told)


def _abouts(results: Path) -> Iterator[dict[str, Any]]:
    for file in sorted((results / FOLDER).glob("*/*.yaml")):
        about = read_about(file.parent, file.stem)
        if about:
            yield about


def _when(abouts: Sequence[Mapping[str, Any]]) -> str:
    dates = sorted({str(about["date"]) for about in abouts})
    return f"on {dates[0]}" if len(dates) == 1 else f"from {dates[0]} to {dates[-1]}"


def _machines(abouts: Sequence[Mapping[str, Any]]) -> str:
    known = {(about["versions"]["cpu"], about["versions"]["torch"]) for about in abouts if "versions" in about}
    return "; ".join(f"{cpu}, torch {torch}" for cpu, torch in sorted(known))


def _seconds(results: Path) -> str:
    rows = [["", "fit", "score", "trainings", "preset"]]
    for row in ROWS:
        about = read_about(results / FOLDER / "brain_tumor", row.name)
        if about:
            seconds = about["seconds"]
            told = [f"{np.mean(seconds[part]):.1f}" for part in ("fit", "score")]
            rows.append([row.name, *told, str(len(seconds["fit"])), about["preset"]])
    return markdown_table(rows)


def _notes(results: Path) -> Iterator[str]:
    noted = [
        f"- {row.name}: {row.note}." for row in ROWS if row.note and list((results / FOLDER).glob(f"*/{row.name}.yaml"))
    ]
    if noted:
        yield "\n".join(noted)
