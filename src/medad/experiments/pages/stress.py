"""The page of where detectors are blind, printed from stored stress tests, and its figures."""

import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from medad.experiments.printed import printed_by
from medad.experiments.studies.stress import FOLDER, TRAINED
from medad.reports.figures import panels, tidy
from medad.reports.markdown import markdown_table
from medad.reports.stress_words import KINDS, LEVELS, blind_words, lines

STORED = f"*/{FOLDER}/*.json"
RESIDUALS = ("ae", "aeu")  # methods whose maps are residuals
Found = Mapping[str, Any]
MEANING = (
    "Disks of controlled intensity, contrast, texture and size were put into normal test images, the same into the "
    "same images for all methods of one image size ([how, and what blind means](../stress.md)). *Found*: shown to be "
    "better than chance; *blind*: shown to be no better than chance, or hardly; the rest so few images cannot tell. "
    "Maps are judged by their AP over the pixels of an image, scores by the AUROC of images with the disk against the "
    "same without."
)


def page(results: Path) -> str:
    """Return the page in Markdown."""
    every = _read(results)
    dates = sorted({found["date"] for methods in every.values() for found in methods.values()})
    parts = [
        "# Where detectors are blind",
        f"{printed_by('medad results stress')} from `docs/results/DATASET/{FOLDER}/`, which `python -m "
        f"medad.experiments.studies.stress` stored on {' and '.join(dates)}. One training each.",
        MEANING,
        *(text for dataset, methods in every.items() for text in _section(dataset, methods)),
    ]
    return "\n\n".join(parts) + "\n"


def pictures(results: Path) -> dict[str, bytes]:
    """Return the figures of the page, PNG files by name."""
    return {_picture(dataset): _drawn(methods) for dataset, methods in _read(results).items()}


def _section(dataset: str, methods: Mapping[str, Found]) -> Iterator[str]:
    yield f"## {dataset}"
    yield f"![AP of every map by intensity and radius]({_picture(dataset)})"
    for level, what in LEVELS.items():
        yield f"### {what.capitalize()}s: found / blind, of so many anomalies"
        yield markdown_table([[what, *KINDS.values(), "all"], *_counts(methods, level, what)])
    if any(method in methods for method in RESIDUALS):
        yield "### Where the residuals are blind"
        yield "Of the anomalies to which the maps of residuals of all of these are blind, so many other maps find:"
        yield markdown_table([["map", "found", "blind", "mean AP", "chance"], *_beyond(methods)])
    yield "### In words"
    for method, found in methods.items():
        told = list(lines(blind_words(found)["deciding"]))
        yield "\n".join([f"**{method}**, preset {found['preset']}, {found['images']} images:", "", *_list(told)])


def _counts(methods: Mapping[str, Found], level: str, what: str) -> Iterator[list[str]]:
    for method, found in methods.items():
        for name in found[f"{what}s"]:
            cells = [(cell["kind"], cell[level][name]) for cell in found["cells"]]
            groups = [[one for kind, one in cells if kind == wanted] for wanted in KINDS]
            shown = [*groups, [one for _, one in cells]]
            yield [f"{method}: {name}", *(_count(some) for some in shown)]


def _count(cells: list[Mapping[str, Any]]) -> str:
    seen, blind = (sum(cell[key] for cell in cells) for key in ("found", "blind"))
    return f"{seen} / {blind} of {len(cells)}"


def _beyond(methods: Mapping[str, Found]) -> Iterator[list[str]]:
    """Yield, of the anomalies to which all residuals are blind, what each map makes of them."""
    residuals = [(methods[method], methods[method]["maps"][0]) for method in RESIDUALS if method in methods]
    blind = set.intersection(
        *({_key(c) for c in found["cells"] if c["pixel"][name]["blind"]} for found, name in residuals)
    )
    for method, found in methods.items():
        cells = [cell for cell in found["cells"] if _key(cell) in blind]
        for name in found["maps"] if cells else []:
            some = [cell["pixel"][name] for cell in cells]
            seen, missed = (sum(one[key] for one in some) for key in ("found", "blind"))
            mean, chance = np.mean([one["ap"] for one in some]), np.mean([cell["chance"] for cell in cells])
            counts = [f"{seen} of {len(cells)}", f"{missed} of {len(cells)}"]
            yield [f"{method}: {name}", *counts, f"{mean:.3f}", f"{chance:.3f}"]


def _key(cell: Mapping[str, Any]) -> tuple[Any, ...]:
    return cell["kind"], cell["level"], cell["radius"]


def _list(told: list[str]) -> list[str]:
    return [line if line.startswith("  - ") else f"- {line}" for line in told]


def _drawn(methods: Mapping[str, Found]) -> bytes:
    maps = [(method, found, name) for method, found in methods.items() for name in found["maps"]]
    figure, axes = panels(len(maps), columns=4, height=2.4)
    for i, (ax, (method, found, name)) in enumerate(zip(axes, maps, strict=True)):
        _curves(ax, found, name)
        last = len(maps) - i <= 4
        tidy(ax, f"{method}: {name}", "intensity of the disk" if last else "", "AP" if i % 4 == 0 else "")
        ax.set(xlim=(0, 1), ylim=(0, 1.02))
    axes[0].legend(fontsize=6, frameon=False, title="radius", title_fontsize=6)
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=110)
    return png.getvalue()


def _curves(ax: Axes, found: Found, name: str) -> None:
    """Draw AP against intensity, a line for each radius."""
    cells = [cell for cell in found["cells"] if cell["kind"] == "intensity"]
    radii = sorted({cell["radius"] for cell in cells})
    for number, radius in enumerate(radii):
        points = sorted((cell["level"], cell["pixel"][name]["ap"]) for cell in cells if cell["radius"] == radius)
        shade = str(0.75 - 0.75 * number / max(len(radii) - 1, 1))
        ax.plot(*zip(*points, strict=True), color=shade, linewidth=1.4, label=f"{100 * radius:g} %")


def _picture(dataset: str) -> str:
    return f"stress-{dataset}.png"


def _read(results: Path) -> dict[str, dict[str, Found]]:
    """Return by data set and method, in the order of the study."""
    found: dict[str, dict[str, Found]] = {}
    for file in sorted(results.glob(STORED), key=lambda file: (file.parts[-3], [*TRAINED].index(file.stem))):
        found.setdefault(file.parent.parent.name, {})[file.stem] = json.loads(file.read_text(encoding="utf-8"))
    return found
