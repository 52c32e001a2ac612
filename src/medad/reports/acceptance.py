"""The page of an acceptance test: what a run promised, what a site's labelled images show, and lines to sign."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medad.evaluation.intervals import clopper_pearson
from medad.evaluation.promises.exchangeability import chance_to_notice
from medad.evaluation.promises.false_alarms import FalseAlarms
from medad.evaluation.scores import ScoreTable
from medad.files import replacing
from medad.reports.cases import STYLE, cases
from medad.reports.html import NOTICE, Html, bullets, element, join, page, section, table
from medad.reports.reading import reading_section
from medad.reports.sheet import Sheet
from medad.reports.subgroups import subgroup_section

_HEAD = ("", "promised", "observed", "95 % interval", "images")
FEW = 10  # images of a kind below which its share is marked
# What reporting guidelines (TRIPOD+AI, CLAIM) ask for and no program knows.
TO_FILL_IN = (
    "Site, scanners, and dates of the images",
    "How the images were selected (consecutive, or how else), and which were excluded",
    "Reference standard: who read the images, with what knowledge, and how disagreement was settled",
    "Intended use, and who acts on a positive image",
    "Accepted / not accepted, name, date, signature",
)


@dataclass(frozen=True)
class Acceptance:
    """What the page tells.

    Attributes
    ----------
    title : str
        Its heading.
    promised : FalseAlarms
        What was promised.
    scores : ScoreTable
        Of the site's images: labels, decisions and, where known, kinds and patients.
    facts : mapping of str to str
        What is known of run and images, for the record.
    sheet : Sheet or None
        Typical images and the worst errors; None for a method without maps.
    """

    title: str
    promised: FalseAlarms
    scores: ScoreTable
    facts: Mapping[str, str]
    sheet: Sheet | None

    @property
    def called(self) -> dict[str, np.ndarray]:
        """Which of the normal and of the abnormal images are called abnormal, ``bool``."""
        assert self.scores.gt_label is not None and self.scores.pred_label is not None
        decided = self.scores.pred_label.astype(bool)
        return {name: decided[self.scores.gt_label == label] for name, label in (("normal", 0), ("abnormal", 1))}

    @property
    def broken(self) -> bool:
        """Whether there are more false alarms than the promise can explain."""
        return self._at_least > self.promised.high

    @property
    def more_than_promised(self) -> bool:
        """Whether chance among these images cannot explain the false alarms, though that of the promise may."""
        return self._at_least > self.promised.promised

    @property
    def _at_least(self) -> float:
        """The lower end of the 95 % interval of the rate of false alarms."""
        alarms = self.called["normal"]
        return clopper_pearson(float(alarms.mean()), len(alarms))[0]


def write_acceptance(path: Path, found: Acceptance) -> None:
    """Write the page, whole or not at all; no image is named."""
    parts = [
        element("h1", found.title),
        element("p", element("b", lead(found)), "lead"),
        section("Promised and observed", table(_HEAD, [*_rows(found)])),
        *_kinds(found.scores),
        *subgroup_section(found.scores),
        *reading_section(found.scores),
        section("For the record", table(["", ""], [[name, fact] for name, fact in found.facts.items()], text=[1])),
        section("To be filled in", bullets(join(line, Html("<br>&nbsp;")) for line in TO_FILL_IN)),
        *_pictures(found.sheet),
        element("footer", NOTICE),
    ]
    with replacing(path) as partial:
        partial.write_text(page(found.title, *parts, style=STYLE), encoding="utf-8")


def lead(found: Acceptance) -> str:
    """Say in two sentences whether the promise is kept here, and what is found."""
    alarms, hits = found.called["normal"], found.called["abnormal"]
    rate = f"{alarms.sum()} of {len(alarms)} normal images are called abnormal"
    promised = f"where at most {100 * found.promised.promised:.3g} % were promised"
    if found.broken:
        kept = f"The promise is broken here: {rate}, {promised}. Calibrate on normal images of this site."
    elif found.more_than_promised:
        kept = (
            f"More false alarms than promised: {rate}, {promised}. The promise was made on {found.promised.images} "
            "normal images, few enough for chance to explain it. Calibrate on more normal images, of this site."
        )
    else:
        chance = chance_to_notice(3 * found.promised.promised, found.promised.high, len(alarms))
        kept = (
            f"Nothing speaks against the promise: {rate}, {promised}; a rate three times as high would have been "
            f"noticed in {100 * chance:.0f} of 100 cases."
        )
    return f"{kept} {hits.sum()} of {len(hits)} abnormal images are found."


def _pictures(sheet: Sheet | None) -> Iterator[Html]:
    if sheet is not None:
        yield section("Images: typical ones and the worst errors", *cases(sheet, next(iter(sheet.maps))))


def _rows(found: Acceptance) -> Iterator[list[str]]:
    alarms, hits = found.called["normal"], found.called["abnormal"]
    most = f"at most {100 * found.promised.promised:.3g} %"
    yield ["normal images called abnormal (false alarms)", most, *_share(alarms)]
    yield ["abnormal images called abnormal (sensitivity)", "nothing", *_share(hits)]


def _share(hits: np.ndarray) -> list[str]:
    value = float(hits.mean())
    low, high = clopper_pearson(value, len(hits))
    return [f"{100 * value:.1f} %", f"{100 * low:.1f} to {100 * high:.1f} %", str(len(hits))]


def _kinds(scores: ScoreTable) -> Iterator[Html]:
    if scores.kinds is None or scores.pred_label is None:
        return
    names = sorted(set(filter(None, scores.kinds)))
    if names:
        rows = [_kind(name, scores.pred_label[[kind == name for kind in scores.kinds]]) for name in names]
        yield section("Kinds of abnormality", table(["kind", "found", "95 % interval", "images"], rows))


def _kind(name: str, decided: np.ndarray) -> Sequence[str]:
    share = _share(decided.astype(bool))
    return [f"{name} (few)" if len(decided) < FEW else name, *share]
