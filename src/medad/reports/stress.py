"""stress.html: where a run is blind, in words first, then in pictures and figures."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from medad.files import replacing
from medad.reports.figures import png_uri, svg_uri
from medad.reports.html import NOTICE, Html, bullets, cards, element, join, page, picture, section, table
from medad.reports.stress_beside import beside_section
from medad.reports.stress_drawn import KIND, examples, heat_maps
from medad.reports.stress_tables import all_grids, called_words, figure_tables, told
from medad.reports.stress_words import KINDS, LEVELS, blind_words

Found = Mapping[str, Any]
WIDTH = 1050  # of the examples, in pixels
RECORD = {
    "version": "medad",
    "method": "method",
    "run_seed": "seed of the run",
    "run": "digest of its weights",
    "data": "data",
    "images": "images",
    "size": "side in pixels",
    "seed": "seed of images and places",
}


def write_stress(path: Path, found: Found, pictures: Mapping[str, np.ndarray], other: Found | None = None) -> None:
    """Write the page, whole or not at all; no image is named.

    Parameters
    ----------
    path : Path
        The file.
    found : mapping
        What ``stress.json`` holds.
    pictures : mapping of str to ndarray
        An image without and with some of the anomalies, (H, W) or (H, W, 3) in [0, 1].
    other : mapping, optional
        The same of another run, to stand beside it.
    """
    title = f"Where {found['method']} is blind on {found['data']}"
    parts = [
        element("h1", title),
        element("section", join(*_words(found)), "meaning"),
        cards([(found["images"], "normal images"), (len(found["cells"]), "anomalies in each")]),
        *([bullets(found["notes"])] if found["notes"] else []),
        element("p", _reading(found), "note"),
        section("What was put in", picture(png_uri(examples(pictures)), "Examples", "One of the images.", WIDTH)),
        *([beside_section(found, other)] if other else []),
        section(KINDS[KIND], *_drawn(found), _folded("The same in figures", *figure_tables(found, KIND))),
        *(section(title, *figure_tables(found, kind)) for kind, title in KINDS.items() if kind != KIND),
        *_called(found),
        section("For the record", table(["", ""], [[words, found[key]] for key, words in RECORD.items()], text=[1])),
        element("footer", NOTICE),
    ]
    with replacing(path) as partial:
        partial.write_text(page(title, *parts), encoding="utf-8")


def _words(found: Found) -> Iterator[Html]:
    words = blind_words(found)
    yield told(words["deciding"])
    if words["others"]:
        yield _folded("The other scores and maps", told(words["others"]))


def _reading(found: Found) -> str:
    margin = found["margin"]
    return (
        f"AUROC: how often an image with the anomaly scores higher than one without, where 0.5 is chance. AP: how well "
        f"the map finds the pixels of the disk, the mean over images, where chance is the disk's share of the image. "
        f"Blind: the 95 % interval ends no more than {margin:g} above chance. Found: it is not blind, and the interval "
        "begins above chance. Where neither holds, so few images cannot tell."
    )


def _drawn(found: Found) -> Iterator[Html]:
    for level, what in LEVELS.items():
        if found[f"{what}s"]:
            caption = f"Every {what}; × marks where it is blind."
            yield picture(svg_uri(heat_maps(found, level)), f"Intensity against radius, by {what}", caption)


def _called(found: Found) -> Iterator[Html]:
    """Yield how often the run's threshold calls an image with the anomaly abnormal; nothing without a threshold."""
    alarms = found["false_alarms"]
    if alarms is None:
        return
    share = f"{100 * alarms['share']:.0f} % of the images without an anomaly are called abnormal, too."
    grids = all_grids(found["cells"], called_words)
    yield section("Called abnormal by the run's threshold", element("p", share), _folded("In figures", *grids))


def _folded(summary: str, *parts: Html) -> Html:
    return element("details", join(element("summary", summary), *parts))
