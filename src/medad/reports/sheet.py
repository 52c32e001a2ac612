"""The heat-map sheet: telling images above their anomaly maps, one colour scale per row."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medad.evaluation.scores import ScoreTable
from medad.reports.figures import INK, plain

UNDECIDED = "undecided"
LABELLED = (
    "Typical abnormal images",
    "Worst misses: abnormal images with the lowest scores",
    "Worst false alarms: normal images with the highest scores",
    "Typical normal images",
)
UNLABELLED = ("Highest scores", "Middle scores", "Lowest scores")
COLUMNS = 6
INCH = 100  # pixels of the page
_SIDE, _BAR, _LEFT, _RIGHT, _TITLE = 1.68, 0.1, 0.28, 0.45, 0.5  # inches: an image and what is beside and above it
_OUTLINE = "#00e5ff"


@dataclass(frozen=True)
class Sheet:
    """Columns of a heat-map sheet.

    Attributes
    ----------
    images : ndarray
        (n, H, W) grey or (n, H, W, 3) colour, in [0, 1].
    maps : dict of str to ndarray
        (n, H, W) anomaly maps by name, that by which the detector decides first.
    titles : list of str
        Caption of each column; nothing that identifies a patient (see `captions`).
    groups : list of str
        Why each was chosen: a heading of `choose_groups`.
    masks : ndarray or None
        (n, H, W) abnormal pixels, outlined on the images.
    scale : sequence of float or None
        Values of the first map that stand for no and for full colour, where the run tells.
    """

    images: np.ndarray
    maps: dict[str, np.ndarray]
    titles: list[str]
    groups: list[str]
    masks: np.ndarray | None = None
    scale: Sequence[float] | None = None


def choose_groups(table: ScoreTable, n: int = 16) -> dict[str, np.ndarray]:
    """Choose the images that tell most about a detector, by the reason.

    About a quarter each: typical abnormal images (next to the median score, of every kind in turn), the worst
    misses (abnormal, lowest score), the worst false alarms (normal, highest score), typical normal images.
    Without labels: highest, median and lowest scores.

    Parameters
    ----------
    table : ScoreTable
        Ranked by ``pred_score``.
    n : int
        Number of images; all if there are fewer.

    Returns
    -------
    dict of str to ndarray
        Heading -> positions in the table; min(n, len(table)) in all, each once, and no group empty.
    """
    order = np.argsort(table.columns["pred_score"], kind="stable")
    if table.gt_label is None:
        candidates = dict(zip(UNLABELLED, (order[::-1], _from_middle(order), order), strict=True))
    else:
        labels = np.asarray(table.gt_label)[order]
        normal, abnormal = order[labels == 0], order[labels == 1]
        groups = (_of_every_kind(abnormal, table.kinds), abnormal, normal[::-1], _from_middle(normal))
        candidates = dict(zip(LABELLED, groups, strict=True))
    chosen = zip(candidates, _spread(list(candidates.values()), n), strict=True)
    return {heading: np.array(group, dtype=np.int64) for heading, group in chosen if group}


def _from_middle(order: np.ndarray) -> np.ndarray:
    """Sort positions by their distance from the median rank."""
    return order[np.argsort(np.abs(np.arange(len(order)) - (len(order) - 1) / 2), kind="stable")]


def _of_every_kind(order: np.ndarray, kinds: Sequence[str] | None) -> np.ndarray:
    """Sort positions by their distance from the median rank of their kind, the kinds taking turns."""
    if kinds is None:
        return _from_middle(order)
    of_kind: dict[str, list[int]] = {}
    for i in order:
        of_kind.setdefault(kinds[i], []).append(i)
    sorted_kinds = [_from_middle(np.array(of_kind[kind])) for kind in sorted(of_kind)]
    return np.array([i for turn in zip_longest(*sorted_kinds) for i in turn if i is not None], dtype=np.int64)


def _spread(groups: list[np.ndarray], n: int) -> list[list[int]]:
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
    return chosen


def captions(table: ScoreTable, index: np.ndarray) -> list[str]:
    """Caption columns without naming an image: for example "false negative" above "dark, score 0.83".

    An image counts as positive by ``pred_label``; where the run has no threshold, the highest scores do, as
    many as there are abnormal images, and images that tie across that cut are undecided. Without labels the
    caption is the score.
    """
    scores = table.columns["pred_score"]
    if table.gt_label is None:
        return [f"score {scores[i]:.3g}" for i in index]
    labels = np.asarray(table.gt_label)
    positive = _by_rank(scores, int(labels.sum())) if table.pred_label is None else np.asarray(table.pred_label, float)
    kinds = [f"{kind}, " if kind else "" for kind in table.kinds or [""] * len(table)]
    return [f"{_word(positive[i], labels[i])}\n{kinds[i]}score {scores[i]:.3g}" for i in index]


def _by_rank(scores: np.ndarray, count: int) -> np.ndarray:
    """Return 1 for the `count` highest scores and 0 for the others, NaN for scores that tie across this cut."""
    cut = np.sort(scores)[len(scores) - count] if count else np.inf
    positive = (scores >= cut).astype(float)
    return positive if positive.sum() == count else np.where(scores == cut, np.nan, positive)


def _word(positive: float, label: int) -> str:
    if np.isnan(positive):
        return UNDECIDED
    return f"{'true' if positive == label else 'false'} {'positive' if positive else 'negative'}"


def draw_sheet(sheet: Sheet) -> Figure:
    """Draw rows of at most six images, below each a row per map with its colour bar.

    The colours of a map are the same in all its rows and end at its 99.5th percentile.
    """
    rows, count = 1 + len(sheet.maps), len(sheet.images)
    columns = min(COLUMNS, count)
    bands = -(-count // columns)
    width, band = _LEFT + _SIDE * columns + _BAR + _RIGHT, _TITLE + _SIDE * rows
    figure = Figure(figsize=(width, band * bands))
    for i, part in enumerate(figure.subfigures(bands, 1, squeeze=False)[:, 0]):
        grid = part.add_gridspec(
            rows, columns + 1, width_ratios=[_SIDE] * columns + [_BAR], wspace=0.04, hspace=0.04,
            left=_LEFT / width, right=1 - _RIGHT / width, top=1 - _TITLE / band, bottom=0,
        )  # fmt: skip
        shown = range(columns * i, min(columns * (i + 1), count))
        _draw_images([part.add_subplot(grid[0, j]) for j in range(len(shown))], sheet, shown)
        for row, name in enumerate(sheet.maps, start=1):
            axes = [part.add_subplot(grid[row, j]) for j in range(len(shown))]
            _draw_map(axes, part.add_subplot(grid[row, columns]), name, sheet.maps[name], shown)
    return figure


def _draw_images(axes: list[Axes], sheet: Sheet, shown: range) -> None:
    for ax, i in zip(axes, shown, strict=True):
        ax.imshow(sheet.images[i], cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        ax.set_title(plain(sheet.titles[i]), fontsize=10, color=INK, pad=3)
        _outline(ax, sheet, i)
    _frame(axes, "image")


def _draw_map(axes: list[Axes], bar: Axes, name: str, stack: np.ndarray, shown: range) -> None:
    low, high = float(np.min(stack)), float(np.percentile(stack, 99.5))
    for ax, i in zip(axes, shown, strict=True):
        drawn = ax.imshow(stack[i], cmap="inferno", vmin=low, vmax=high, interpolation="nearest")
    _frame(axes, name)
    scale = bar.figure.colorbar(drawn, cax=bar)
    bar.tick_params(labelsize=7, colors=INK)
    scale.outline.set_visible(False)


def _frame(axes: list[Axes], name: str) -> None:
    for ax in axes:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    axes[0].set_ylabel(plain(name), fontsize=10, color=INK)


def _outline(ax: Axes, sheet: Sheet, column: int) -> None:
    if sheet.masks is not None and sheet.masks[column].any():
        ax.contour(sheet.masks[column], levels=[0.5], colors=_OUTLINE, linewidths=0.9)
