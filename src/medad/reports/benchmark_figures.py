"""Figures of a benchmark: ROC curves over each other, and the diagram of critical differences."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medad.evaluation.comparison import Tables
from medad.evaluation.curves import roc_curve
from medad.evaluation.scores import ScoreTable
from medad.evaluation.statistics import RankComparison
from medad.reports.figures import INK, PALETTE, panels, plain, tidy

_RATES = np.linspace(0, 1, 401)
_STYLES = ("-", "--", ":", "-.")


def roc_overlay(results: Mapping[str, Tables]) -> Figure:
    """Draw the ROC curve of each method's ``pred_score``, a panel for each data set; the mean over seeds."""
    figure, axes = panels(len(results), columns=2, height=4.4)
    for ax, (data, tables) in zip(axes, results.items(), strict=True):
        for i, (label, some) in enumerate(tables.items()):
            curve = np.mean([_rates(table) for table in some], axis=0)
            style = _STYLES[i // len(PALETTE) % len(_STYLES)]
            ax.plot(_RATES, curve, style, color=PALETTE[i % len(PALETTE)], linewidth=1.3, label=plain(label))
        ax.plot([0, 1], [0, 1], ":", color="#94a3b8", linewidth=0.8)
        tidy(ax, data, "false positive rate", "true positive rate")
        ax.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02))
        ax.legend(fontsize=8, frameon=False, loc="lower right")
    return figure


def _rates(table: ScoreTable) -> np.ndarray:
    """Return the true positive rate at each of `_RATES`, the upper one where the curve rises straight."""
    assert table.gt_label is not None
    fpr, tpr = roc_curve(table.gt_label, table.columns["pred_score"])
    rates = np.interp(_RATES, fpr, tpr)
    rates[0] = tpr[fpr == 0].max()
    return rates


def critical_difference_diagram(methods: Sequence[str], found: RankComparison) -> Figure:
    """Draw mean ranks on an axis, best on the left, with bars over groups that do not differ (Demšar, 2006)."""
    order = np.argsort(found.mean_ranks, kind="stable")
    half = (len(order) + 1) // 2
    height = 1.3 + 0.28 * half + 0.16 * len(found.groups)
    figure = Figure(figsize=(8.5, height), layout="constrained")
    ax = figure.add_subplot()
    for level, group in enumerate(found.groups):
        ranks = found.mean_ranks[group]
        ax.plot([ranks.min() - 0.04, ranks.max() + 0.04], [0.85 + 0.3 * level] * 2, color=INK, linewidth=3.5)
    for place, method in enumerate(order):
        _leader(ax, float(found.mean_ranks[method]), methods[method], place, half, len(methods))
    _ruler(ax, found.critical_difference, len(methods), 1.2 + 0.3 * len(found.groups))
    return figure


def _leader(ax: Axes, rank: float, name: str, place: int, half: int, methods: int) -> None:
    """Draw a line from the axis to a method's name: the better half on the left, the others on the right."""
    left = place < half
    depth = -0.5 * (place + 1 if left else methods - place)
    end = 0.6 if left else methods + 0.4
    ax.plot([rank, rank, end], [0, depth, depth], color="#64748b", linewidth=0.9)
    text = f"{name} ({rank:.2f})"
    ax.text(end, depth, f"{plain(text)} " if left else f" {plain(text)}", ha="right" if left else "left", va="center",
            fontsize=9, color=INK)  # fmt: skip


def _ruler(ax: Axes, difference: float, methods: int, top: float) -> None:
    """Draw the axis of ranks and, above it, the length of the critical difference."""
    ax.plot([1, methods], [0, 0], color=INK, linewidth=1.2)
    for rank in range(1, methods + 1):
        ax.plot([rank, rank], [0, 0.12], color=INK, linewidth=1)
        ax.text(rank, 0.16, str(rank), ha="center", va="bottom", fontsize=8, color=INK)
    ax.plot([1, 1 + difference], [top, top], color=INK, linewidth=1.2, marker="|")
    ax.text(1 + difference / 2, top + 0.08, f"critical difference {difference:.2f}", ha="center", fontsize=8, color=INK)
    ax.set_axis_off()
    ax.set_xlim(-1, methods + 2)
