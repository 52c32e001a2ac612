"""The report's tables of accuracy: scores, kinds of abnormality, pixels."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from medad.evaluation.metric import Metric
from medad.evaluation.metric_list import AUROC, listed
from medad.evaluation.scores import ScoreTable
from medad.reports.html import Html, element, html, join, section, table

_CONTROLS = {
    "mean_intensity": "mean intensity",
    "mean_gradient": "mean gradient",
    "file_size": "file size",
    "thumbnail": "8 x 8 thumbnail",
    "pixels": "pixels",
}
INTERVALS = "In brackets the 95 % interval. It speaks of the choice of test images, not of the chance in training."


def percent(value: float | None) -> str:
    """Write a share in per cent with one decimal, a dash for None."""
    return "–" if value is None else f"{100 * value:.1f}"


def interval(ends: Sequence[float]) -> str:
    """Write the two ends of an interval of shares in per cent."""
    return f"{percent(ends[0])}–{percent(ends[1])}"


def control_name(key: str) -> str:
    """Return the words for a detector that sees no pathology, such as ``mean_intensity`` or ``pixels_nu``."""
    base = key.removesuffix("_nu")
    return _CONTROLS.get(base, base) + ("" if base == key else ", with unlabeled")


def accuracy_tables(
    metrics: Mapping, scores: ScoreTable, size: Sequence[int] | None, describe: Callable[[str], str]
) -> Iterator[Html]:
    """Yield the sections on images, on kinds of abnormality and on pixels (maps of H x W), as far as they are known.

    What a score is, `describe` tells by its name.
    """
    if not metrics["image"]:
        yield section("Scores", element("p", "Tables of accuracy are left out: these images have no labels."))
        return
    yield section("Scores", *_control_table(metrics.get("controls")), *_score_table(metrics, scores, describe))
    if metrics.get("decision"):
        yield section("At the detector's threshold", *_decision_table(metrics["decision"], scores.primary))
    if metrics["kinds"]:
        yield section("Kinds of abnormality", *_kind_tables(metrics, scores))
    if metrics["pixel"]:
        yield section("Pixels", *_pixel_table(metrics, size))


def _score_table(metrics: Mapping, scores: ScoreTable, describe: Callable[[str], str]) -> Iterator[Html]:
    image = {name: metrics["image"][name] for name in scores.shown_rows}
    shown = known(listed("image"), image.values())
    rows = [
        [
            element("code", name),
            *(_bold_best(image, name, metric) for metric in shown),
            describe(name) + _members(figures),
        ]
        for name, figures in image.items()
    ]
    if metrics.get("controls"):
        yield element("h3", "What the detector sees")
    head = [metric.heading for metric in shown]
    yield table(["score", *head, "what it measures"], rows, text=[len(head) + 1])
    n = metrics["n"]
    share = percent(n["abnormal"] / max(n["abnormal"] + n["normal"], 1))
    bold = " Bold: the best figure, which is no test of significance." if len(rows) > 1 else ""
    yield element("p", f"{INTERVALS} {share} % of the test images are abnormal.{bold}", "note")
    yield explained(shown)


def known(metrics: Sequence[Metric], rows: Collection[Mapping]) -> list[Metric]:
    """Return the metrics that any of the rows has: files of earlier versions lack some."""
    return [metric for metric in metrics if any(metric.key in row for row in rows)]


def explained(metrics: Sequence[Metric]) -> Html:
    """Return what each metric says, a line for each."""
    lines = (join(element("b", f"{metric.name}:"), metric.meaning) for metric in metrics)
    return join(*(element("p", line, "note") for line in lines))


def _control_table(controls: Mapping | None) -> Iterator[Html]:
    """Yield a table of the detectors that see no pathology, none if they were not computed."""
    if controls:
        shown = known(listed("image", headline=True), controls.values())
        rows = [[control_name(name), *(figure(row, metric) for metric in shown)] for name, row in controls.items()]
        yield element("h3", "What sees no pathology")
        yield table(["seen alone", *(metric.heading for metric in shown)], rows)
        note = "A detector that is not clearly above them has not shown that it sees disease. "
        unlabeled = "With unlabeled: they tell normal from unlabeled images; the others know normal images only."
        with_unlabeled = any(name.endswith("_nu") for name in controls)
        yield element("p", note + (unlabeled if with_unlabeled else ""), "note")


def _members(figures: Mapping) -> str:
    members = [m for m in figures.get("members", []) if m is not None]
    each = ", ".join(map(percent, members))
    return f"; mean of {len(members)} networks with {AUROC.name} {each}" if members else ""


def _decision_table(figures: Mapping, score: str) -> Iterator[Html]:
    shown = known(listed("decision"), [figures])
    head = [metric.heading for metric in shown]
    yield table(["score", *head], [[element("code", score), *(figure(figures, metric) for metric in shown)]])
    yield explained(shown)


def _kind_tables(metrics: Mapping, scores: ScoreTable) -> Iterator[Html]:
    yield element("p", "Each kind of abnormality against all normal images.", "note")
    kinds, names = metrics["kinds"], list(scores.shown_rows)
    for metric in listed("image", headline=True):
        rows = []
        for kind, figures in kinds.items():
            shown = {name: figures[name] for name in names}
            count = figures[names[0]]["n"]
            rows.append([f"{kind} ({count})", *(_bold_best(shown, name, metric) for name in names)])
        yield element("h3", metric.heading)
        yield table(["kind (images)", *(element("code", name) for name in names)], rows)


def _pixel_table(metrics: Mapping, size: Sequence[int] | None) -> Iterator[Html]:
    pixel, n = metrics["pixel"], metrics["n"]
    shown = known(listed("pixel"), pixel.values())
    rows = [[element("code", name), *(_bold_best(pixel, name, metric) for metric in shown)] for name in pixel]
    yield table(["map", *(metric.heading for metric in shown)], rows)
    scale = f"Images, masks and maps at {size[0]} x {size[1]} pixels. " if size else ""
    yield element(
        "p",
        f"{scale}Pixels of all {n['normal'] + n['abnormal']} test images pooled, normal images included; "
        f"{n['masks']} of them have a mask.",
        "note",
    )
    yield explained(shown)


def _bold_best(rows: Mapping, name: str, metric: Metric) -> Html:
    """Write one figure with its interval where it has one, in bold if no other row has a better one."""
    values = [row[metric.key] for row in rows.values() if row.get(metric.key) is not None]
    best = max(values, default=None) if metric.higher else min(values, default=None)
    return figure(rows[name], metric, "b" if len(rows) > 1 and rows[name].get(metric.key) == best is not None else "")


def figure(row: Mapping, metric: Metric, tag: str = "") -> Html:
    """Write one figure of `row`, set off by `tag`, with its interval where it has one."""
    text, ends = metric.written(row.get(metric.key)), row.get(metric.ci)
    written = element(tag, text) if tag else html(text)
    return Html(f"{written} <small>({'–'.join(map(metric.written, ends))})</small>") if ends else written
