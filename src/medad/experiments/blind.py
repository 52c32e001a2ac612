"""What sees no pathology, on the pages: the stored controls of a data set beside the methods that should do better."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from medad.evaluation.metrics import auroc
from medad.experiments.controls import stored_controls
from medad.experiments.deduplicated import deduplicated, restrict
from medad.experiments.figures import cells, head
from medad.reports.markdown import markdown_table

MEANING = (
    "Trivial controls: how far mean intensity, mean gradient, file size, an 8 x 8 thumbnail or 32 x 32 pixels of an "
    "image lie from those of normal images; `_nu`: a linear regression of unlabeled against normal images on the "
    "same, which uses no label. They know nothing of pathology: a method whose figure is not above theirs has shown "
    "no more (`docs/controls.md`)."
)


def section(dataset: str, results: Path, then: str = "") -> Iterator[str]:
    """Yield the paragraphs of a section in Markdown, and a heading for what comes `then`.

    Nothing where no controls of `dataset` are stored.
    """
    table = stored_controls(dataset, results)
    if table is not None:
        kept = deduplicated(dataset, results)
        rows = [[name, *cells([table], name, kept)] for name in table.shown_rows]
        yield "## What sees no pathology"
        yield MEANING
        yield markdown_table([["control", *head(kept)], *rows])
        if then:
            yield f"## {then}"


def overview(datasets: Sequence[str], results: Path) -> Iterator[str]:
    """Yield a paragraph and a table with the AUROC of every control on every data set, none if nothing is stored."""
    found = {name: _aurocs(name, results) for name in datasets}
    controls = list(dict.fromkeys(control for column in found.values() for control in column))
    if controls:
        yield MEANING
        rows = [[control, *(column.get(control, "") for column in found.values())] for control in controls]
        yield markdown_table([["control", *found], *rows])


def _aurocs(dataset: str, results: Path) -> dict[str, str]:
    """Return the AUROC in % of each control, behind a slash that on the de-duplicated split."""
    table, kept = stored_controls(dataset, results), deduplicated(dataset, results)
    if table is None:
        return {}
    tables = [table, *([restrict(table, kept)] if kept else [])]
    return {name: " / ".join(in_percent(t.gt_label, t.columns[name]) for t in tables) for name in table.shown_rows}


def in_percent(labels: np.ndarray | None, *members: np.ndarray) -> str:
    """Return the mean AUROC of some scores in %."""
    assert labels is not None
    return f"{100 * float(np.mean([auroc(labels, member) for member in members])):.1f}"
