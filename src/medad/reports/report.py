"""report.html: what a run found, in one file that opens anywhere, offline."""

import base64
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from medad.evaluation.scores import ScoreTable
from medad.files import replacing
from medad.reports.figures import histograms, png_uri, ranking_curves, svg_uri, training_curves
from medad.reports.html import NOTICE, Html, cards, element, join, page, picture, section, table
from medad.reports.sheet import Sheet, draw_sheet
from medad.reports.tables import accuracy_tables, interval, percent

_SHEET = "Images and their anomaly maps"
_COLUMNS = (
    "From left to right: typical normal images, the normal images with the highest scores (the worst false "
    "positives), the abnormal images with the lowest scores (the worst false negatives), typical abnormal "
    "images; above each its score."
)
_CUT = (
    "The run has no threshold of its own: as many images count as positive as there are abnormal ones, "
    "those with the highest scores."
)
_CHI2 = " χ² is the distance of the two histograms: 0 if they are equal, 100 if no bin holds both classes."


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
        By split: how many ``images`` and, where labels are known, how many ``normal`` and ``abnormal`` ones.
    metrics : mapping
        What `medad.evaluation.summary.summarise` returned.
    scores : ScoreTable
        The scores that `metrics` describes.
    losses : mapping of str to ndarray
        (epochs,) mean loss of each training phase; empty leaves the section out.
    sheet : Sheet or None
        Heat maps; None for detectors without maps.

    Returns
    -------
    Path
        The file written.
    """
    parts = [
        element("h1", title),
        element("p", _lead(metrics, scores), "lead"),
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


def _lead(metrics: Mapping, scores: ScoreTable) -> str:
    """Say in one paragraph what was scored and how well the classes are told apart."""
    if scores.gt_label is None:
        text = f"{len(scores)} images were scored. They have no labels, so nothing is said about accuracy."
        if scores.pred_label is None:
            return text
        return f"{text} The detector's threshold calls {int(np.sum(scores.pred_label))} of them abnormal."
    n = metrics["n"]
    text = f"{len(scores)} test images were scored: {n['normal']} normal and {n['abnormal']} abnormal. "
    own = metrics["image"]["pred_score"]
    if own["auroc"] is None:
        return text + "With one class only there is no accuracy to report."
    name = "" if scores.primary == "pred_score" else f" ({scores.primary})"
    auroc = f"AUROC {percent(own['auroc'])} % (95 % interval {interval(own['auroc_ci'])})"
    text += f"The detector's score{name} tells them apart with {auroc} and AP {percent(own['ap'])} %."
    decision = metrics.get("decision")
    if decision:
        found, spared = (percent(decision[key]) for key in ("sensitivity", "specificity"))
        text += f" At its threshold the sensitivity is {found} % and the specificity {spared} %."
    return text


def _figures(metrics: Mapping, scores: ScoreTable) -> Iterator[Html]:
    chi2 = {name: figures["chi2"] for name, figures in metrics["image"].items()}
    yield section(
        "Distribution of the scores",
        picture(
            svg_uri(histograms(scores, chi2)),
            "Histograms of each score",
            "100 bins over the range of each score." + (_CHI2 if chi2 else ""),
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
        parts = [_COLUMNS, _CUT if scores.pred_label is None else "Positive and negative by the threshold."]
    parts.append("Each row of maps has one colour scale, which ends at its 99.5th percentile.")
    if sheet.masks is not None:
        parts.append("The abnormal region, where it is known, is outlined.")
    uri = png_uri(draw_sheet(sheet))
    yield section("Heat maps", picture(uri, _SHEET, " ".join(parts)))


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
