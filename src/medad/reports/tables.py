"""The report's tables of accuracy: scores, kinds of abnormality, pixels."""

from collections.abc import Iterator, Mapping, Sequence

from medad.evaluation.scores import ScoreTable
from medad.reports.html import Html, element, html, section, table

_MEANING = {
    "a_rec": "reconstruction error of single networks",
    "a_rec_ensemble": "reconstruction error of the ensemble",
    "a_intra": "disagreement among the networks trained on normal images",
    "a_inter": "difference between networks trained with and without the unlabeled images",
    "r_intra": "a_intra refined by ASR-Net",
    "r_dual": "a_intra and a_inter refined by ASR-Net",
    "pred_score": "the detector's score",
}
_CONTROLS = {
    "mean_intensity": "mean intensity",
    "mean_gradient": "mean gradient",
    "file_size": "file size",
    "thumbnail": "8 x 8 thumbnail",
    "pixels": "pixels",
}
INTERVALS = "In brackets the 95 % interval. It speaks of the choice of test images, not of the chance in training."
_PIXELS = {"auroc": "AUROC, %", "ap": "AP, %", "au_pro": "AU-PRO, %", "best_dice": "best Dice, % (oracle)"}


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


def accuracy_tables(metrics: Mapping, scores: ScoreTable, size: Sequence[int] | None) -> Iterator[Html]:
    """Yield the sections on images, on kinds of abnormality and on pixels (maps of H x W), as far as they are known."""
    if not metrics["image"]:
        yield section("Scores", element("p", "Tables of accuracy are left out: these images have no labels."))
        return
    note = element("p", _score_note(metrics), "note")
    yield section("Scores", _score_table(metrics, scores), note, *_control_table(metrics.get("controls")))
    if metrics["kinds"]:
        yield section("Kinds of abnormality", *_kind_tables(metrics, scores))
    if metrics["pixel"]:
        yield section("Pixels", *_pixel_table(metrics, size))


def _score_table(metrics: Mapping, scores: ScoreTable) -> Html:
    image = {name: metrics["image"][name] for name in scores.shown_rows}
    rows = [
        [
            element("code", name),
            _bold_best(image, name, "auroc"),
            _bold_best(image, name, "ap"),
            _chi2(figures),
            _meaning(name, figures),
        ]
        for name, figures in image.items()
    ]
    return table(["score", "AUROC, %", "AP, %", "χ²", "what it measures"], rows, text=[4])


def _chi2(figures: Mapping) -> Html:
    if figures["chi2"] is None:
        return html("–")
    ends = figures.get("chi2_ci")
    return _with_ends(html(f"{figures['chi2']:.2f}"), f"{ends[0]:.2f}–{ends[1]:.2f}" if ends else "")


def _score_note(metrics: Mapping) -> str:
    n = metrics["n"]
    chance = percent(n["abnormal"] / max(n["abnormal"] + n["normal"], 1))
    return (
        f"{INTERVALS} By chance AUROC is 50 % and AP {chance} %. χ²: distance of the histograms below, 0 to 100. "
        "Bold: the highest figure, which is no test of significance."
    )


def _control_table(controls: Mapping | None) -> Iterator[Html]:
    """Yield a table of the detectors that see no pathology, none if they were not computed."""
    if controls:
        rows = [[control_name(name), *(_figure(row, key) for key in ("auroc", "ap"))] for name, row in controls.items()]
        yield element("h3", "What sees no pathology")
        yield table(["seen alone", "AUROC, %", "AP, %"], rows)
        note = "A detector that is not clearly above them has not shown that it sees disease. "
        unlabeled = "With unlabeled: they tell normal from unlabeled images; the others know normal images only."
        with_unlabeled = any(name.endswith("_nu") for name in controls)
        yield element("p", note + (unlabeled if with_unlabeled else ""), "note")


def _meaning(name: str, figures: Mapping) -> str:
    members = [m for m in figures.get("members", []) if m is not None]
    listed = ", ".join(map(percent, members))
    each = f"; mean of {len(members)} networks with AUROC {listed}" if members else ""
    return _MEANING.get(name, "") + each


def _kind_tables(metrics: Mapping, scores: ScoreTable) -> Iterator[Html]:
    yield element("p", "Each kind of abnormality against all normal images.", "note")
    kinds, names = metrics["kinds"], list(scores.shown_rows)
    for key, heading in (("auroc", "AUROC, %"), ("ap", "AP, %")):
        rows = []
        for kind, figures in kinds.items():
            shown = {name: figures[name] for name in names}
            count = figures[names[0]]["n"]
            rows.append([f"{kind} ({count})", *(_bold_best(shown, name, key) for name in names)])
        yield element("h3", heading)
        yield table(["kind (images)", *(element("code", name) for name in names)], rows)
    note = "AP depends on how many abnormal images there are: do not compare it between kinds."
    yield element("p", note, "note")


def _pixel_table(metrics: Mapping, size: Sequence[int] | None) -> Iterator[Html]:
    pixel = metrics["pixel"]
    rows = [[element("code", name), *(_bold_best(pixel, name, key) for key in _PIXELS)] for name in pixel]
    yield table(["map", *_PIXELS.values()], rows)
    n = metrics["n"]
    scale = f"Images, masks and maps at {size[0]} x {size[1]} pixels. " if size else ""
    yield element(
        "p",
        f"{scale}Pixels of all {n['normal'] + n['abnormal']} test images pooled, normal images included; "
        f"{n['masks']} of them have a mask. AU-PRO: mean share of a region that is found, at false positive rates "
        "up to 30 %, by chance 15 %. Oracle: the threshold was chosen on the masks themselves.",
        "note",
    )


def _bold_best(rows: Mapping, name: str, key: str) -> Html:
    """Write one figure in per cent with its interval where it has one, in bold if no other row is higher."""
    value = rows[name][key]
    best = value is not None and len(rows) > 1 and value >= max(other[key] for other in rows.values())
    return _figure(rows[name], key, "b" if best else "")


def _figure(row: Mapping, key: str, tag: str = "") -> Html:
    """Write one figure in per cent, set off by `tag`, with its interval where it has one."""
    text, ends = percent(row.get(key)), row.get(f"{key}_ci")
    return _with_ends(element(tag, text) if tag else html(text), interval(ends) if ends else "")


def _with_ends(figure: Html, ends: str) -> Html:
    return Html(f"{figure} <small>({ends})</small>") if ends else figure
