"""What a list costs to read, as a section of the report."""

from collections.abc import Iterator

import numpy as np

from medad.evaluation.promises.workload import Reading, net_benefit, reading
from medad.evaluation.scores import ScoreTable
from medad.reports.figures import decision_curve, svg_uri
from medad.reports.html import Html, element, picture, section, table

RECALLS = (0.9, 0.95, 0.99)
ABNORMAL = 0.1  # share of abnormal images where the list is read: test sets have far more
WORTH = np.linspace(0, 0.3, 61)  # of reading a normal image, in abnormal ones found
ABOUT = (
    f"If {100 * ABNORMAL:.0f} of 100 images were abnormal, and one read those with the highest scores until so many of "
    "the abnormal ones were found, as these test images have it. In brackets the 95 % interval."
)


CURVE = (
    "Decision curve: what the list is worth, in abnormal images found, of 100, less what the normal ones on it cost. "
    "Whoever would read 20 normal images to find an abnormal one looks at a cost of 5. Where the black line is not "
    "above both others, the score is of no use. The best list for every cost is chosen on these test images, which "
    "flatters it a little."
)


def reading_section(scores: ScoreTable) -> Iterator[Html]:
    """Yield the section; nothing where a class is missing."""
    labels, values = scores.gt_label, scores.columns["pred_score"]
    if labels is None or len(set(labels.tolist())) < 2:
        return
    lists = [reading(labels, values, recall, ABNORMAL, scores.patients) for recall in RECALLS]
    head = ["of the abnormal images found", "of 100 images read", "normal ones read for each abnormal one found"]
    curve = decision_curve(WORTH, net_benefit(labels, values, WORTH, ABNORMAL), ABNORMAL)
    shown = picture(svg_uri(curve), "Decision curve", CURVE)
    yield section("What it costs to read", element("p", ABOUT), table(head, [_row(one) for one in lists]), shown)


def _row(one: Reading) -> list[str]:
    read = f"{100 * one.read:.0f} [{100 * one.low:.0f}, {100 * one.high:.0f}]"
    return [f"{100 * one.recall:.0f} %", read, f"{one.normals:.1f}"]
