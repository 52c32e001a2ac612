"""report.html: what a run found, in one file that opens anywhere, offline."""

import base64
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from medad.evaluation.metric_list import CHI2
from medad.evaluation.scores import ScoreTable
from medad.files import replacing
from medad.reports.advice import next_steps
from medad.reports.figures import bins_for, histograms, png_uri, ranking_curves, svg_uri, training_curves
from medad.reports.html import NOTICE, Html, bullets, cards, element, join, page, picture, section, table
from medad.reports.meaning import meaning, verdict
from medad.reports.outcome import Outcome
from medad.reports.sheet import INCH, UNDECIDED, Sheet, draw_sheet
from medad.reports.tables import accuracy_tables

_SHEET = "Images and their anomaly maps"
_COLUMNS = (
    "One after the other: typical normal images, the normal images with the highest scores and the abnormal images "
    "with the lowest scores, where errors are worst, and typical abnormal images; above each its score."
)
_CUT = (
    "The run has no threshold of its own: as many images count as positive as there are abnormal ones, "
    "those with the highest scores."
)
_TIES = f" Images that tie there are {UNDECIDED}."
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
    counts: Mapping[str, Mapping[str, int]],
    metrics: Mapping,
    scores: ScoreTable,
    losses: Mapping[str, np.ndarray],
    sheet: Sheet | None,
    threshold: float | None = None,
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
    counts : mapping
        By split: how many ``images`` and, where labels are known, how many ``normal`` and ``abnormal`` ones; and
        what became of them, see :class:`medad.reports.outcome.Outcome`.
    metrics : mapping
        What `medad.evaluation.summary.summarise` returned.
    scores : ScoreTable
        The scores that `metrics` describes.
    losses : mapping of str to ndarray
        (epochs,) mean loss of each training phase; empty leaves the section out.
    sheet : Sheet or None
        Heat maps; None for detectors without maps.
    threshold : float, optional
        From which score on the detector calls an image abnormal.

    Returns
    -------
    Path
        The file written.
    """
    flagged = 0 if scores.pred_label is None else int(np.sum(scores.pred_label))
    outcome = Outcome(metrics, scores.primary, counts, threshold, flagged)
    parts = [
        element("h1", title),
        _opening(outcome),
        cards([_card(split, images) for split, images in counts.items()]),
        *accuracy_tables(metrics, scores, sheet.images.shape[1:3] if sheet else None),
        *_figures(metrics, scores),
        *_sheet(sheet, scores),
        *_training(losses),
        section("Configuration", _fold("Options of this run", _flat(config))),
        *_versions(versions),
        element("footer", NOTICE),
    ]
    path = folder / "report.html"
    with replacing(path) as partial:
        partial.write_text(page(title, *parts), encoding="utf-8", errors="replace")
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
    parts = [element("p", element("b", _unbroken(verdict(outcome))), "lead"), bullets(map(_unbroken, meaning(outcome)))]
    parts += [element("h3", "What to do next"), bullets(map(_unbroken, next_steps(outcome)))]
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


def _sheet(sheet: Sheet | None, scores: ScoreTable) -> Iterator[Html]:
    if sheet is None:
        return
    parts = ["Images with the highest, middle and lowest scores."]
    if scores.gt_label is not None:
        ties = _TIES if any(title.startswith(UNDECIDED) for title in sheet.titles) else ""
        parts = [_COLUMNS, f"{_CUT}{ties}" if scores.pred_label is None else "Positive and negative by the threshold."]
    parts.append("Each row of maps has one colour scale, which ends at its 99.5th percentile.")
    if sheet.masks is not None:
        parts.append("The abnormal region, where it is known, is outlined.")
    figure = draw_sheet(sheet)
    width = round(figure.get_figwidth() * INCH)
    yield section("Heat maps", picture(png_uri(figure), _SHEET, " ".join(parts), width))


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
