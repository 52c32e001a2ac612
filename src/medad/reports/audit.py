"""audit.html: what is wrong with a data set, in one file that opens anywhere, offline."""

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from medad.files import replacing
from medad.reports.audit_words import FAULTS, FEATURES, QUESTIONS, p_words
from medad.reports.html import Html, bullets, cards, element, html, join, page, picture, section, table
from medad.reports.thumbnails import side_by_side

PAIRS, PAIRS_OF_A_KIND = 12, 3
NAMES = 10
NOTICE = "medad is a research tool, not a medical device. This page shows images: guard it as you guard them."
_STYLE = """
.pairs { display: flex; flex-wrap: wrap; gap: 1rem 1.6rem; } .pairs figure { width: 262px; margin: 0; }
thead th { white-space: normal; vertical-align: bottom; max-width: 11.5rem; }
"""
_NEAR = (
    "Two images are near-duplicates if their area means at 64 x 64 differ by less than 3 of 255 grey levels (root "
    "mean square). Read along a row: how many images of that list have at least one near-duplicate in the list of "
    "the column."
)
_SHORTCUT = (
    "A logistic regression is given one simple property of the images, none of which shows disease, and must tell "
    "two sets apart that it has not learned from (five-fold cross-validation, a patient's images together where "
    "patients are known). AUROC in %, with the 95 % interval: 50 is chance, 100 tells all apart. What the test classes "
    "reach here is the line that any figure on this set must be read against: a detector that is not above it has "
    "not shown that it sees disease."
)
_GROUPS = (
    "Images by how they were made. V is Cramér's V: 0 if both sets are spread alike over the groups, 1 if the group "
    "tells the set. Borders and letters are found by simple detectors: good for comparing sets, not for a single image."
)


def write_page(path: Path, record: Mapping[str, Any], pixels: np.ndarray, ids: Sequence[str]) -> Path:
    """Write the page, whole or not at all; no patient is named.

    Parameters
    ----------
    path : Path
        The file; its folder exists.
    record : mapping
        What ``audit.json`` holds.
    pixels : ndarray
        (N, 64, 64) ``uint16``, for pictures of pairs.
    ids : sequence of str
        (N,) names of the images.
    """
    parts = [
        element("h1", f"Audit of {record['data']}"),
        _opening(record),
        cards((count, f"{name} images") for name, count in record["images"].items()),
        *_files(record),
        *_near(record, pixels, ids),
        *_patients(record["patients"]),
        *_shortcuts(record["shortcuts"]),
        *_groups(record["groups"]),
        element("footer", NOTICE),
    ]
    with replacing(path) as partial:
        text = page(f"Audit of {record['data']}", *parts, style=_STYLE)
        partial.write_text(text, encoding="utf-8", errors="backslashreplace")
    return path


def _opening(record: Mapping[str, Any]) -> Html:
    matters = [one["text"] for one in record["findings"] if one["matters"]]
    rest = [one["text"] for one in record["findings"] if not one["matters"]]
    lead = f"{len(matters)} findings need a look before anything is trained." if matters else "Nothing stands out."
    parts = [element("p", element("b", lead), "lead"), bullets(matters) if matters else ""]
    return element("section", join(*parts, element("h3", "Also checked"), bullets(rest)), "meaning")


def _files(record: Mapping[str, Any]) -> Iterator[Html]:
    files, reasons = record["files"], record["files"]["reasons"]
    rows = [
        [FAULTS[kind], files[kind]["count"], join(*_lines(files[kind]["images"], reasons))]
        for kind in FAULTS
        if files[kind]["count"]
    ]
    if rows:
        yield section("Files", table(["what", "images", "which"], rows, [2]))
    if named := record["same_bytes"]["named"]:
        alike = [[i + 1, " = ".join(group)] for i, group in enumerate(named[:NAMES])]
        words = f"{record['same_bytes']['groups']} contents are there more than once; audit.json names more of them."
        note = element("p", words, "note") if len(named) > NAMES else ""
        yield section("The same bytes", table(["", "files"], alike, [1]), note)


def _lines(ids: Sequence[str], reasons: Mapping[str, str]) -> Iterator[Html]:
    for id in ids[:NAMES]:
        yield element("div", f"{id}: {reasons[id]}" if id in reasons else id)
    if len(ids) > NAMES:
        yield element("div", f"and {len(ids) - NAMES} more in audit.json")


def _near(record: Mapping[str, Any], pixels: np.ndarray, ids: Sequence[str]) -> Iterator[Html]:
    near = record["near"]
    if not near["pairs"]:
        return
    lists = list(near["beside"])
    rows = [[a, record["images"][a], *(near["beside"][a][b] or "" for b in lists)] for a in lists]
    kept = ", ".join(f"{count} of {record['images'][name]} {name}" for name, count in near["kept"].items())
    parts = [element("p", _NEAR), table(["", "images", *(f"in {name}" for name in lists)], rows)]
    if near["kept"]:
        parts.append(element("p", f"Test images that remain without repeats: {kept}."))
    parts.append(_pairs(near["named"], pixels, {id: i for i, id in enumerate(ids)}))
    yield section("Near-duplicates", *parts)


def _pairs(named: Sequence[Sequence[Any]], pixels: np.ndarray, place: Mapping[str, int]) -> Html:
    """Show a few pairs of every two lists: the nearest, the farthest and one between."""
    kinds: dict[tuple[str, str], list[Sequence[Any]]] = {}
    for pair in named:
        kinds.setdefault((pair[2], pair[3]), []).append(pair)
    few = [pair for kind in kinds.values() for pair in _spread(sorted(kind, key=lambda pair: pair[4]))][:PAIRS]
    return Html(f'<div class="pairs">{join(*(_pair(pair, pixels, place) for pair in few))}</div>')


def _spread(pairs: Sequence[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    for i in np.unique(np.linspace(0, len(pairs) - 1, PAIRS_OF_A_KIND).round().astype(int)):
        yield pairs[i]


def _pair(pair: Sequence[Any], pixels: np.ndarray, place: Mapping[str, int]) -> Html:
    first, second, list_a, list_b, distance = pair
    small = [Image.fromarray((pixels[place[id]] >> 8).astype(np.uint8)) for id in (first, second)]
    buffer = io.BytesIO()
    side_by_side(small, 128).convert("L").save(buffer, "PNG")
    uri = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    caption = f"{list_a}: {first}\n{list_b}: {second}\n{distance:.1f} grey levels apart"
    return picture(uri, f"{first} beside {second}", Html("<br>".join(html(line) for line in caption.split("\n"))))


def _patients(patients: Mapping[str, Any]) -> Iterator[Html]:
    rows = [
        [f"{kind} in {' and '.join(one['splits'])}", one["shared"], join(*_lines(one["images"]["images"], {}))]
        for kind, key in (("patients", "in"), ("studies", "study_in"), ("series", "series_in"), ("files", "file_in"))
        for one in patients[f"{key}_two_splits"]
    ]
    suggested = patients.get("suggested", {}).get("in_two_splits", [])
    for one in suggested:
        which = f"groups by name in {' and '.join(one['splits'])} (a suggestion)"
        rows.append([which, one["shared"], join(*_lines(one["images"]["images"], {}))])
    if rows:
        yield section("Patients in two splits", table(["what", "how many", "their images"], rows, [2]))


def _shortcuts(shortcuts: Mapping[str, Any]) -> Iterator[Html]:
    """Yield a table, the classes of the test part first: those that any other figure is to be read against."""
    if not shortcuts:
        return
    names = [name for name in QUESTIONS if name in shortcuts]
    features = dict.fromkeys(feature for name in names for feature in shortcuts[name]["features"])
    rows = [
        [FEATURES.get(one, one), *(figure(shortcuts[name]["features"].get(one)) for name in names)] for one in features
    ]
    head = ["property", *(f"{QUESTIONS[name]} ({' + '.join(map(str, shortcuts[name]['images']))})" for name in names)]
    yield section("What sees no pathology", element("p", _SHORTCUT), table(head, rows))


def figure(ends: Sequence[float] | None) -> str:
    """Return an AUROC in % with its interval."""
    return "" if ends is None else "{:.1f} [{:.1f}, {:.1f}]".format(*(100 * end for end in ends))


def _groups(groups: Mapping[str, Any]) -> Iterator[Html]:
    parts = []
    for factor, group in groups.items():
        for name, told in group["comparisons"].items():
            first, second = (sum(pair[i] for pair in told["counts"].values()) or 1 for i in (0, 1))
            rows = [[level, *_shares(pair, first, second)] for level, pair in told["counts"].items()]
            heading = f"{factor}, {QUESTIONS[name]}: V {told['v']:.2f}, p {p_words(told['p'])}"
            parts.append(join(element("h3", heading), table([factor, "first", "second"], rows)))
    if parts:
        folded = element("details", join(element("summary", "All tables of groups"), *parts))
        yield section("Groups of images", element("p", _GROUPS), _overview(groups), folded)


def _shares(pair: Sequence[int], first: int, second: int) -> list[str]:
    return [f"{pair[0]} ({100 * pair[0] / first:.0f} %)", f"{pair[1]} ({100 * pair[1] / second:.0f} %)"]


def _overview(groups: Mapping[str, Any]) -> Html:
    names = [name for name in QUESTIONS if any(name in group["comparisons"] for group in groups.values())]
    rows = []
    for factor, group in groups.items():
        told = [group["comparisons"].get(name) for name in names]
        cells = [f"V {one['v']:.2f}, p {p_words(one['p'])}" if one else "" for one in told]
        rows.append([factor, group["levels"], *cells])
    return table(["property", "groups", *(QUESTIONS[name] for name in names)], rows)
