"""What sees no pathology, on the pages: the stored controls of a data set beside the methods that should do better."""

from collections.abc import Iterator
from pathlib import Path

from medad.experiments.deduplicated import deduplicated
from medad.experiments.figures import cells, head
from medad.experiments.stored import stored_controls
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
