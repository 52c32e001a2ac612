"""What a list costs to read, as a section of the report."""

from collections.abc import Iterator

from medad.evaluation.promises.workload import Reading, reading
from medad.evaluation.scores import ScoreTable
from medad.reports.html import Html, element, section, table

RECALLS = (0.9, 0.95, 0.99)
ABNORMAL = 0.1  # share of abnormal images where the list is read: test sets have far more
ABOUT = (
    f"If {100 * ABNORMAL:.0f} of 100 images were abnormal, and one read those with the highest scores until so many of "
    "the abnormal ones were found, as these test images have it. In brackets the 95 % interval."
)


def reading_section(scores: ScoreTable) -> Iterator[Html]:
    """Yield the section; nothing where a class is missing."""
    if scores.gt_label is None or len(set(scores.gt_label.tolist())) < 2:
        return
    lists = [
        reading(scores.gt_label, scores.columns["pred_score"], recall, ABNORMAL, scores.patients) for recall in RECALLS
    ]
    head = ["of the abnormal images found", "of 100 images read", "normal ones read for each abnormal one found"]
    yield section("What it costs to read", element("p", ABOUT), table(head, [_row(one) for one in lists]))


def _row(one: Reading) -> list[str]:
    read = f"{100 * one.read:.0f} [{100 * one.low:.0f}, {100 * one.high:.0f}]"
    return [f"{100 * one.recall:.0f} %", read, f"{one.normals:.1f}"]
