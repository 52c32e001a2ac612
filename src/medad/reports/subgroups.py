"""Figures of groups of test images, as a section of a page."""

from collections.abc import Iterator

from medad.evaluation.scores import ScoreTable
from medad.evaluation.subgroups import Interval, Subgroup, subgroups
from medad.reports.html import Html, element, section, table

HEAD = ("", "normal", "abnormal", "AUROC", "false alarms", "abnormal ones found")
ABOUT = (
    "In % with 95 % intervals. Where two of these do not overlap, the detector does differently on these groups; where "
    "they do, the images may be too few to tell. Many groups are looked at: one in twenty intervals misses its figure."
)


def subgroup_section(scores: ScoreTable) -> Iterator[Html]:
    """Yield the section; nothing where no groups are known."""
    rows = [_row(one) for one in subgroups(scores)]
    if rows:
        yield section("Groups of patients and images", element("p", ABOUT), table(HEAD, rows))


def _row(one: Subgroup) -> list[object]:
    name = f"{one.group}: {one.value or 'not known'}"
    return [name, one.normal, one.abnormal, *map(_figure, (one.auroc, one.alarms, one.found))]


def _figure(interval: Interval | None) -> str:
    if interval is None:
        return ""
    value, low, high = (f"{100 * number:.1f}" for number in interval)
    return f"{value} [{low}, {high}]"
