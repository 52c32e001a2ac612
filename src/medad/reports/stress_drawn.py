"""Pictures of a stress test: heat maps of what is found, and examples of what was put into images."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medad.reports.figures import INK, panels, plain
from medad.reports.stress_tables import KEYS, level_words
from medad.reports.stress_words import LEVELS

KIND = "intensity"


def heat_maps(found: Mapping[str, Any], level: str) -> Figure:
    """Draw intensity against radius, a panel for each score or map; blind cells are crossed out."""
    names = found[f"{LEVELS[level]}s"]
    figure, axes = panels(len(names), height=3.4)
    for ax, name in zip(axes, names, strict=True):
        _heat_map(ax, found["cells"], level, name)
    return figure


def _heat_map(ax: Axes, cells: list[Mapping[str, Any]], level: str, name: str) -> None:
    shown = [cell for cell in cells if cell["kind"] == KIND]
    radii, levels = (sorted({cell[key] for cell in shown}) for key in ("radius", "level"))
    values = np.full((len(levels), len(radii)), np.nan)
    for cell in shown:
        row, column = levels.index(cell["level"]), radii.index(cell["radius"])
        values[row, column] = value = cell[level][name][KEYS[level]]
        text = f"{value:.2f}" + (" ×" if cell[level][name]["blind"] else "")
        ax.text(column, row, text, ha="center", va="center", fontsize=7, color="black" if value > 0.5 else "white")
    ax.imshow(values, cmap="cividis", vmin=0, vmax=1, aspect="auto", origin="lower")
    ax.set_xticks(range(len(radii)), [f"{100 * radius:g} %" for radius in radii])
    ax.set_yticks(range(len(levels)), [level_words(KIND, value) for value in levels])
    ax.tick_params(labelsize=7, colors=INK)
    ax.set_title(f"{KEYS[level].upper()} of {plain(name)}", fontsize=9, loc="left", color=INK)
    ax.set_xlabel("radius", fontsize=8, color=INK)
    ax.set_ylabel("intensity", fontsize=8, color=INK)


def examples(pictures: Mapping[str, np.ndarray]) -> Figure:
    """Draw pictures, (H, W) or (H, W, 3) in [0, 1], in a row or two, each under its name."""
    figure, axes = panels(len(pictures), columns=6, height=2.0)
    for ax, (name, picture) in zip(axes, pictures.items(), strict=True):
        ax.imshow(picture, cmap="gray", vmin=0, vmax=1)
        ax.set_title(plain(name), fontsize=8, color=INK)
        ax.set_axis_off()
    return figure
