"""The contact sheet of the phantom benchmark: ``python -m medad.reports.phantom_figure FILE.png [LEVEL]``."""

import sys
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medad.data.phantom.benchmark import NORMAL, STREAMS, draw_phantom
from medad.data.phantom.lesions import KINDS

COLUMNS = 8


def phantom_figure(seed: int = 0, level: str = "subtle") -> Figure:
    """Draw a row of normal images and, for each kind of lesion, pairs of an image and the same with its mask.

    Parameters
    ----------
    seed : int
        Seed of the images; those shown are the first of the benchmark's test images.
    level : str
        How hard lesions are to see.

    Returns
    -------
    matplotlib.figure.Figure
        One row per kind, normal first.
    """
    figure = Figure(figsize=(COLUMNS, 1 + len(KINDS)), dpi=100, layout="constrained")
    grid = figure.subplots(1 + len(KINDS), COLUMNS)
    for column, axes in enumerate(grid[0]):
        _show(axes, draw_phantom((seed, STREAMS.index("test_0"), column), NORMAL).image)
    for row, kind in enumerate(KINDS):
        for pair in range(COLUMNS // 2):
            phantom = draw_phantom((seed, STREAMS.index("test_1"), row + len(KINDS) * pair), kind, level=level)
            _show(grid[row + 1, 2 * pair], phantom.image)
            _show(grid[row + 1, 2 * pair + 1], phantom.image)
            grid[row + 1, 2 * pair + 1].contour(phantom.mask, levels=[0.5], colors="tab:orange", linewidths=1)
    for axes, name in zip(grid[:, 0], (NORMAL, *KINDS), strict=True):
        axes.set_ylabel(name, fontsize=9)
    return figure


def _show(axes: Axes, image: np.ndarray) -> None:
    levels = image[0] // 8 * 8  # noise in 32 greys instead of 256 halves the file
    axes.imshow(levels, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set(xticks=[], yticks=[])


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    phantom_figure(level=(sys.argv[2:] or ["subtle"])[0]).savefig(target)
