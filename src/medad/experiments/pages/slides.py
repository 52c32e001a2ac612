"""MVTec's table of Uninformed Students and its baselines on one set: our figures beside the published means."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from medad.errors import UserError
from medad.experiments.paper import MVTEC_PRO
from medad.experiments.printed import printed_by
from medad.experiments.stored import Result, machines, stored
from medad.reports.markdown import markdown_table
from medad.training.run_folder import training_seconds

DATASET = "mvtec_screw"
RULE = (
    "AU-PRO up to a false-positive rate of 0.3, and AUROC of images, in %; in brackets the 95 % interval over test "
    "images. Published: mean AU-PRO over the 15 sets of MVTec AD, of which screw is one and not the easiest; they "
    "tell the order of methods, not what this set should give. Ours are single trainings, narrower or shorter than "
    "published where *preset* is quick; features are those of EfficientNet-Lite0."
)


def page(results: Path) -> str:
    """Return the page in Markdown.

    Raises
    ------
    UserError
        If no run is stored.
    """
    runs = list(stored(DATASET, results))
    if not runs:
        raise UserError(f"{results / DATASET}: holds no run; store some first")
    rows = [["method", "AU-PRO", "published, mean of 15", "AUROC", "size", "preset", "changed", "seconds"]]
    rows += sorted((_row(run) for run in runs), key=lambda row: row[1], reverse=True)
    notes = results / DATASET / "notes.md"
    parts = [
        "# MVTec AD, screw: students and what they are compared with",
        f"{printed_by('medad results mvtec_screw')} from the runs stored in `{DATASET}/`. All methods: "
        f"`medad benchmark docs/results/{DATASET}.yaml`. Machine: {machines(run.run for run in runs)}.",
        RULE,
        markdown_table(rows),
        *_controls(runs[0].metrics),
        notes.read_text(encoding="utf-8").strip() if notes.exists() else "",
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _row(run: Result) -> list[str]:
    config = run.run["config"]
    image = run.metrics.get("image", {})
    pixel = of_anomaly_map(run.metrics.get("pixel", {}))
    seconds = training_seconds(run.run)
    published = MVTEC_PRO.get(run.run["method"])
    options = ", ".join(f"{name} {value}" for name, value in config["options"].items())
    return [
        run.run["method"],
        _written(pixel, "au_pro"),
        "" if published is None else f"{published:.1f}",
        _written(image.get("pred_score", {}), "auroc"),
        str(run.run["options"]["size"]),
        config["preset"],
        options,
        "" if seconds is None else f"{seconds:.0f}",
    ]


def of_anomaly_map(pixel: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the figures of the map that the score rests on, of those of all maps: the first has a name of its own."""
    return pixel.get("anomaly_map") or next(iter(pixel.values()), {})


def _written(figures: Mapping[str, Any], key: str) -> str:
    value, ends = figures.get(key), figures.get(f"{key}_ci")
    if value is None:
        return ""
    return f"{100 * value:.1f}" + (f" [{100 * ends[0]:.1f}, {100 * ends[1]:.1f}]" if ends else "")


def _controls(metrics: Mapping[str, Any]) -> Iterator[str]:
    found = {name: _written(figures, "auroc") for name, figures in metrics.get("controls", {}).items()}
    if found:
        yield (
            "What sees no defect, AUROC of images: " + ", ".join(f"{name} {told}" for name, told in found.items()) + "."
        )
