"""A sheet of synthetic anomalies: images before and after, and the labels that a network learns from them."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure, SubFigure
from PIL import Image, UnidentifiedImageError

from medad.files import replacing
from medad.reports.figures import INK, plain

SOFTWARE = "medad synthesize"  # what the files name as their maker
COLUMNS = 8
ROWS = ("before, outlined", "after", "label")
_SIDE, _LEFT, _RIGHT, _TITLE, _HEAD, _FOOT, _GAP = 1.5, 0.3, 0.6, 0.25, 0.3, 0.08, 0.04  # inches
_NARROWEST = 7.5  # for the heading
_OUTLINE = "#00e5ff"


@dataclass(frozen=True)
class SynthesisSheet:
    """What the sheet shows, an image a column.

    Attributes
    ----------
    heading : str
        A line above all.
    before, after : ndarray
        (n, H, W) grey or (n, H, W, 3) colour, in [0, 1].
    labels : ndarray
        (n, H, W), 0 where nothing was changed.
    """

    heading: str
    before: np.ndarray
    after: np.ndarray
    labels: np.ndarray


def draw_synthesis(sheet: SynthesisSheet) -> Figure:
    """Draw rows of at most eight images before, with what will change outlined, and after, and their labels.

    Labels have one colour scale, from 0 to the highest.
    """
    count = len(sheet.before)
    columns = min(COLUMNS, count)
    bands = -(-count // columns)
    width = max(_LEFT + columns * (_SIDE + _GAP) + _RIGHT, _NARROWEST)
    band = _TITLE + len(ROWS) * (_SIDE + _GAP) + _FOOT
    figure = Figure(figsize=(width, _HEAD + bands * band), dpi=100)
    middle = 1 - 0.6 * _HEAD / figure.get_figheight()
    figure.text(_LEFT / width, middle, plain(sheet.heading), fontsize=10, color=INK, va="center")
    heights = [_HEAD, *[band] * bands]
    parts = figure.subfigures(1 + bands, 1, height_ratios=heights, squeeze=False)[1:, 0]
    for i, part in enumerate(cast(list[SubFigure], list(parts))):
        grid = part.add_gridspec(
            len(ROWS), columns, wspace=_GAP / _SIDE, hspace=_GAP / _SIDE, left=_LEFT / width,
            right=(_LEFT + columns * (_SIDE + _GAP)) / width, top=1 - _TITLE / band, bottom=_FOOT / band,
        )  # fmt: skip
        shown = range(columns * i, min(columns * (i + 1), count))
        axes = np.array([[part.add_subplot(grid[row, j]) for j in range(len(shown))] for row in range(len(ROWS))])
        _draw_band(axes, sheet, shown)
    return figure


def write_synthesis(path: Path, sheet: SynthesisSheet) -> None:
    """Write the sheet as a PNG, whole or not at all; equal sheets give equal bytes."""
    with replacing(path) as partial:
        FigureCanvasAgg(draw_synthesis(sheet)).print_png(partial, metadata={"Software": SOFTWARE})


def is_sheet(path: Path) -> bool:
    """Return whether a file is a sheet as :func:`write_synthesis` writes it."""
    try:
        with Image.open(path) as picture:
            return picture.info.get("Software") == SOFTWARE
    except (OSError, UnidentifiedImageError):
        return False


def _draw_band(axes: np.ndarray, sheet: SynthesisSheet, shown: range) -> None:
    highest = float(sheet.labels.max()) or 1.0
    for (before, after, label), i in zip(axes.T, shown, strict=True):
        for ax, images in ((before, sheet.before), (after, sheet.after)):
            ax.imshow(images[i], cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        label.imshow(sheet.labels[i], cmap="inferno", vmin=0, vmax=highest, interpolation="nearest")
        if sheet.labels[i].any():
            before.contour(sheet.labels[i] > 0, levels=[0.5], colors=_OUTLINE, linewidths=0.9)
        else:
            before.set_title("stayed clean", fontsize=9, color=INK, pad=3)
    for row, name in zip(axes, ROWS, strict=True):
        row[0].set_ylabel(name, fontsize=9, color=INK)
        for ax in row:
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
    _add_scale(axes[-1, -1], highest)


def _add_scale(beside: Axes, highest: float) -> None:
    bar = beside.inset_axes((1.05, 0.0, 0.06, 1.0))
    drawn = beside.figure.colorbar(ScalarMappable(Normalize(0, highest), "inferno"), cax=bar)
    bar.tick_params(labelsize=7, colors=INK)
    drawn.outline.set_visible(False)
