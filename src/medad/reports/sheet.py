"""The heat-map sheet: telling images above their anomaly maps, one colour scale per row."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medad.evaluation.scores import ScoreTable
from medad.reports.figures import INK, plain

_OUTLINE = "#00e5ff"


@dataclass(frozen=True)
class Sheet:
    """Columns of a heat-map sheet.

    Attributes
    ----------
    images : ndarray
        (n, H, W) grey or (n, H, W, 3) colour, in [0, 1].
    maps : dict of str to ndarray
        (n, H, W) anomaly maps by name, in the order of the rows.
    titles : list of str
        Caption of each column; nothing that identifies a patient (see `captions`).
    masks : ndarray or None
        (n, H, W) abnormal pixels, outlined on the images.
    """

    images: np.ndarray
    maps: dict[str, np.ndarray]
    titles: list[str]
    masks: np.ndarray | None = None


def choose_columns(table: ScoreTable, n: int = 12) -> np.ndarray:
    """Choose the images that tell most about a detector.

    From left to right, about a quarter each: typical normal images (next to the median score), the worst
    false positives (normal, highest score), the worst false negatives (abnormal, lowest score), typical
    abnormal images. Without labels: highest, median and lowest scores.

    Parameters
    ----------
    table : ScoreTable
        Ranked by ``pred_score``.
    n : int
        Number of columns; all images if there are fewer.

    Returns
    -------
    ndarray
        (min(n, len(table)),) distinct positions in the table.
    """
    order = np.argsort(table.columns["pred_score"], kind="stable")
    if table.gt_label is None:
        return _spread([order[::-1], _from_middle(order), order], n)
    labels = np.asarray(table.gt_label)[order]
    normal, abnormal = order[labels == 0], order[labels == 1]
    return _spread([_from_middle(normal), normal[::-1], abnormal, _from_middle(abnormal)], n)


def _from_middle(order: np.ndarray) -> np.ndarray:
    """Sort positions by their distance from the median rank."""
    return order[np.argsort(np.abs(np.arange(len(order)) - (len(order) - 1) / 2), kind="stable")]


def _spread(groups: list[np.ndarray], n: int) -> np.ndarray:
    """Take turns among the groups, the extremes before the typical ones, until `n` items are chosen."""
    chosen: list[list[int]] = [[] for _ in groups]
    taken: set[int] = set()
    total = min(n, len({int(i) for group in groups for i in group}))
    turns = [g for g in (1, 2, 0, 3) if g < len(groups)]
    waiting = [[int(i) for i in reversed(group)] for group in groups]
    while len(taken) < total:
        for g in turns:
            while waiting[g] and waiting[g][-1] in taken:
                waiting[g].pop()
            if waiting[g] and len(taken) < total:
                chosen[g].append(waiting[g].pop())
                taken.add(chosen[g][-1])
    return np.array([i for group in chosen for i in group], dtype=np.int64)


def captions(table: ScoreTable, index: np.ndarray) -> list[str]:
    """Caption columns without naming an image: for example "false positive" above the score 0.83.

    An image counts as positive by ``pred_label``; where the run has no threshold, the highest scores do, as
    many as there are abnormal images. Without labels the caption is the score.
    """
    scores = table.columns["pred_score"]
    if table.gt_label is None:
        return [f"score\n{scores[i]:.3g}" for i in index]
    labels = np.asarray(table.gt_label)
    positive = table.pred_label
    if positive is None:
        highest = np.sort(scores)[len(scores) - int(labels.sum()) :]
        positive = scores >= (highest[0] if len(highest) else np.inf)
    right = np.asarray(positive) == labels
    words = [f"{'true' if right[i] else 'false'} {'positive' if positive[i] else 'negative'}" for i in index]
    return [f"{word}\n{scores[i]:.3g}" for word, i in zip(words, index, strict=True)]


def draw_sheet(sheet: Sheet) -> Figure:
    """Draw a row of images and a row per map with its colour bar; colours end at the 99.5th percentile."""
    count, rows = len(sheet.images), 1 + len(sheet.maps)
    figure = Figure(figsize=(0.9 + 1.05 * count, 0.45 + 1.05 * rows))
    grid = figure.add_gridspec(
        rows, count + 1, width_ratios=[1] * count + [0.12], wspace=0.05, hspace=0.05,
        left=0.75 / figure.get_figwidth(), right=1 - 0.55 / figure.get_figwidth(),
        top=1 - 0.42 / figure.get_figheight(), bottom=0.02,
    )  # fmt: skip
    for row, (name, stack) in enumerate({"image": sheet.images, **sheet.maps}.items()):
        low, high = (0.0, 1.0) if row == 0 else (float(np.min(stack)), float(np.percentile(stack, 99.5)))
        for column in range(count):
            ax = figure.add_subplot(grid[row, column])
            colours = "gray" if row == 0 else "inferno"
            drawn = ax.imshow(stack[column], cmap=colours, vmin=low, vmax=high, interpolation="nearest")
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
            if row == 0:
                ax.set_title(plain(sheet.titles[column]), fontsize=8, color=INK, pad=3)
                _outline(ax, sheet, column)
            if column == 0:
                ax.set_ylabel(plain(name), fontsize=9, color=INK)
        if row > 0:
            bar = figure.colorbar(drawn, cax=figure.add_subplot(grid[row, count]))
            bar.ax.tick_params(labelsize=6.5, colors=INK)
            bar.outline.set_visible(False)
    return figure


def _outline(ax: Axes, sheet: Sheet, column: int) -> None:
    if sheet.masks is not None and sheet.masks[column].any():
        ax.contour(sheet.masks[column], levels=[0.5], colors=_OUTLINE, linewidths=0.9)
