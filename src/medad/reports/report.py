"""report.html: what a run found, in one file that opens anywhere, offline."""

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from medad.evaluation.metric_list import AUROC, CHI2
from medad.evaluation.scores import ScoreTable
from medad.files import replacing
from medad.reports.advice import next_steps
from medad.reports.cases import STYLE, cases, colours_of
from medad.reports.choice import choice_section
from medad.reports.figures import bins_for, histograms, png_uri, ranking_curves, svg_uri, training_curves
from medad.reports.html import NOTICE, Html, bullets, cards, element, join, page, picture, section, table
from medad.reports.lead import lead
from medad.reports.meaning import meaning, verdict
from medad.reports.outcome import Outcome
from medad.reports.reading import reading_section
from medad.reports.scale_key import scale_key
from medad.reports.sheet import INCH, UNDECIDED, Sheet, draw_sheet
from medad.reports.subgroups import subgroup_section
from medad.reports.tables import accuracy_tables

_SHEET = "Images and their anomaly maps"
NO_BETTER = "no better than chance"
_CUT = (
    "The run has no threshold of its own: as many images count as positive as there are abnormal ones, "
    "those with the highest scores."
)
_TIES = f"Images that tie there are {UNDECIDED}."
_CHI2 = (
    " χ² is the distance of the two histograms with 100 bins, as Cai et al. (2023) define it: 0 if they are equal, "
    "100 if no bin holds both classes."
)


def write_report(
    folder: Path,
    *,
    title: str,
    config: Mapping,
    versions: Mapping,
    outcome: Outcome,
    scores: ScoreTable,
    losses: Mapping[str, np.ndarray],
    sheet: Sheet | None,
    describe: Callable[[str], str],
    choice: Mapping | None = None,
) -> Path:
    """Write ``report.html`` into `folder`, whole or not at all.

    Everything that comes from data is escaped; no image is named.

    Parameters
    ----------
    folder : Path
        The run folder; it exists.
    title : str
        Heading of the report.
    config : mapping
        Options of the run; values may be mappings themselves.
    versions : mapping
        With what the detector was trained; empty leaves the section out.
    outcome : Outcome
        What the run came to; its counts also tell how many ``normal`` and ``abnormal`` images a split holds, where
        labels are known.
    scores : ScoreTable
        The scores that it describes.
    losses : mapping of str to ndarray
        (epochs,) mean loss of each training phase; empty leaves the section out.
    sheet : Sheet or None
        Heat maps; None for detectors without maps.
    describe : callable
        Name of a score -> what it is, in a few words: :meth:`medad.Detector.meaning`.
    choice : mapping, optional
        Of a detector that chose its score, see :func:`medad.reports.choice.choice_section`.

    Returns
    -------
    Path
        The file written.
    """
    metrics = outcome.metrics
    parts = [
        element("h1", title),
        _opening(outcome),
        cards([_card(split, images) for split, images in outcome.counts.items()]),
        *_heat_maps(sheet, scores, metrics),
        *accuracy_tables(metrics, scores, sheet.images.shape[1:3] if sheet else None, describe),
        *subgroup_section(scores),
        *reading_section(scores),
        *choice_section(choice, describe),
        *_figures(metrics, scores),
        *_training(losses),
        section("Configuration", _fold("Options of this run", _flat(config))),
        *_versions(versions),
        element("footer", NOTICE),
    ]
    path = folder / "report.html"
    with replacing(path) as partial:
        partial.write_text(page(title, *parts, style=STYLE), encoding="utf-8", errors="replace")
    return path


def _card(split: str, images: Mapping[str, int]) -> tuple[int, str]:
    """Say how many images a split holds: the figure and its words."""
    words = f"{split} images"
    if split == "unlabeled" and "abnormal" in images:
        words += f" ({images['abnormal']} abnormal)"
    if split == "test":
        words += f": {images['normal']} normal, {images['abnormal']} abnormal"
    return images["images"], words


def _opening(outcome: Outcome) -> Html:
    """Say what the run means and what to do next."""
    parts = [element("p", element("b", _unbroken(lead(outcome))), "lead")]
    parts += [element("h3", "What to do next"), bullets(map(_unbroken, next_steps(outcome)))]
    parts += [element("h3", "In figures"), bullets(map(_unbroken, [verdict(outcome), *meaning(outcome)]))]
    return element("section", join(*parts), "meaning")


def _unbroken(text: str) -> str:
    """Keep a figure and its sign on one line."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def _figures(metrics: Mapping, scores: ScoreTable) -> Iterator[Html]:
    chi2, bins = {name: figures[CHI2.key] for name, figures in metrics["image"].items()}, bins_for(scores)
    yield section(
        "Distribution of the scores",
        picture(
            svg_uri(histograms(scores, chi2, bins)),
            "Histograms of each score",
            f"{bins} bins over the range of each score."
            + (_CHI2 if any(value is not None for value in chi2.values()) else ""),
        ),
    )
    if scores.gt_label is not None and len(set(scores.gt_label)) == 2:
        caption = "Black: the detector's score. Dotted: chance. Thin lines: single networks."
        title = "ROC and precision-recall curves"
        yield section(title, picture(svg_uri(ranking_curves(scores)), title, caption))


def heat_maps(report: Path) -> bytes | None:
    """Return the heat-map sheet of a report that :func:`write_report` wrote, as PNG; None if it has none."""
    text = report.read_text(encoding="utf-8") if report.exists() else ""
    found = re.search(f'src="data:image/png;base64,([^"]+)" alt="{_SHEET}"', text)
    return base64.b64decode(found[1]) if found else None


def _heat_maps(sheet: Sheet | None, scores: ScoreTable, metrics: Mapping) -> Iterator[Html]:
    """Yield the images with their most telling map, large, and all maps of a detector with several, folded away."""
    if sheet is None:
        return
    own, names = next(iter(sheet.maps)), sorted(sheet.maps, key=lambda name: _at_chance(name, metrics))
    first = names[0]
    words = [f"Coloured: the map {first}{', by which the detector decides' if first == own else ''}."]
    if first != own:
        words.append(
            f"The detector decides by the map {own}, whose score does {NO_BETTER}: it is among all maps below."
        )
    elif _at_chance(own, metrics):
        words.append(f"Its score does {NO_BETTER} on these images: expect no more of the map.")
    parts = [element("p", " ".join(words)), element("p", join("Map values:", scale_key(colours_of(sheet, first))))]
    parts += [*cases(sheet, first), element("p", " ".join(_reading(sheet, scores)), "note")]
    if len(names) > 1:
        words_of = {name: f"{name}: {NO_BETTER}" if _at_chance(name, metrics) else name for name in names}
        titled = {words_of[name]: sheet.maps[name] for name in names}
        parts.append(_all_maps(replace(sheet, maps=titled)))
    yield section("Heat maps", *parts)


def _at_chance(name: str, metrics: Mapping) -> bool:
    """Whether the score of the map `name` is known, and not shown to be better than chance."""
    figures = metrics["image"].get("pred_score" if name == "anomaly_map" else name) or {}
    ends = figures.get(AUROC.ci)
    return ends is not None and ends[0] <= 0.5


def _reading(sheet: Sheet, scores: ScoreTable) -> Iterator[str]:
    if scores.gt_label is not None:
        yield _CUT if scores.pred_label is None else "Positive and negative by the threshold."
        if any(title.startswith(UNDECIDED) for title in sheet.titles):
            yield _TIES


def _all_maps(sheet: Sheet) -> Html:
    figure = draw_sheet(sheet)
    caption = (
        f"Each row of maps has one colour scale, which ends at its 99.5th percentile. What does {NO_BETTER} is last."
    )
    width = round(figure.get_figwidth() * INCH)
    shown = picture(png_uri(figure), _SHEET, caption, width)
    return element("details", join(element("summary", "All maps of these images"), shown))


def _training(losses: Mapping[str, np.ndarray]) -> Iterator[Html]:
    if losses:
        caption = "Mean training loss of each epoch, a line per network. The last epoch is the result."
        yield section("Training", picture(svg_uri(training_curves(losses)), "Training curves", caption))


def _fold(summary: str, values: Mapping[str, object]) -> Html:
    rows = [[element("code", name), value] for name, value in values.items()]
    return element("details", join(element("summary", summary), table(["name", "value"], rows, text=[1])))


def _flat(values: Mapping, prefix: str = "") -> dict[str, object]:
    """Flatten nested mappings: ``{"a": {"b": 1}}`` becomes ``{"a.b": 1}``."""
    flat: dict[str, object] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return flat


def _versions(versions: Mapping) -> Iterator[Html]:
    if versions:
        yield section("Versions", _fold("With what the detector was trained", versions))
