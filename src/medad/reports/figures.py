"""Figures of a run, drawn without pyplot's global state and embedded as data URIs."""

import base64
import io
import re
from collections.abc import Mapping

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from medad.evaluation.curves import precision_recall_curve, roc_curve
from medad.evaluation.metrics import class_densities
from medad.evaluation.scores import ScoreTable

NORMAL, ABNORMAL, INK = "#2b6cb0", "#d1495b", "#334155"
# Okabe and Ito's palette, which people with a colour vision deficiency can tell apart.
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
_STYLES = ("-", "--", ":", "-.")
_CURVE_POINTS = 600


def svg_uri(figure: Figure) -> str:
    """Render `figure` as a data URI of an SVG; equal figures give equal bytes."""
    buffer = io.BytesIO()
    with rc_context({"svg.hashsalt": "medad"}):
        FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def png_uri(figure: Figure, dpi: int = 130) -> str:
    """Render `figure` as a data URI of a PNG."""
    buffer = io.BytesIO()
    figure.set_dpi(dpi)
    FigureCanvasAgg(figure).print_png(buffer)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def plain(text: str) -> str:
    """Keep matplotlib from reading dollar signs in data as formulas."""
    return text.replace("$", r"\$")


def tidy(axes: Axes, title: str = "", xlabel: str = "", ylabel: str = "") -> None:
    """Give axes the look of the report."""
    axes.set_title(plain(title), fontsize=10, loc="left", color=INK)
    axes.set_xlabel(xlabel, fontsize=9, color=INK)
    axes.set_ylabel(ylabel, fontsize=9, color=INK)
    axes.tick_params(labelsize=8, colors=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e2e8f0", linewidth=0.6)
    axes.set_axisbelow(True)


def panels(count: int, columns: int = 3, height: float = 2.5) -> tuple[Figure, list[Axes]]:
    """Return a figure of `count` axes in rows of `columns`, each row `height` inches high."""
    rows = -(-count // columns)
    figure = Figure(figsize=(10.5, height * rows), layout="constrained")
    return figure, [figure.add_subplot(rows, columns, i + 1) for i in range(count)]


def bins_for(table: ScoreTable) -> int:
    """Return how many bins show the scores of `table`: the square root of its smaller class, from 8 to 100."""
    classes = np.bincount(np.zeros(len(table), dtype=int) if table.gt_label is None else table.gt_label)
    return int(np.clip(round(np.sqrt(classes[classes > 0].min())), 8, 100))


def histograms(table: ScoreTable, chi2: Mapping[str, float | None], bins: int) -> Figure:
    """Histograms of each named score for normal and abnormal images (Cai et al. 2023, Fig. 8).

    Parameters
    ----------
    table : ScoreTable
        Without labels all images share one histogram.
    chi2 : mapping of str to float or None
        Chi-squared distance of each score, for the titles.
    bins : int
        Bins on the joint range of each score; a score of several members shows their mean density.
    """
    rows = table.shown_rows
    figure, axes = panels(len(rows))
    labels = np.zeros(len(table), dtype=int) if table.gt_label is None else table.gt_label
    names = ("all images", "") if table.gt_label is None else ("normal", "abnormal")
    edges = np.linspace(0, 1, bins + 1)
    for i, (ax, (name, members)) in enumerate(zip(axes, rows.items(), strict=True)):
        densities = np.mean([class_densities(labels, member, bins) for member in members], axis=0)
        for density, label, colour in zip(densities, names, (NORMAL, ABNORMAL), strict=True):
            if density.any():
                ax.stairs(density, edges, fill=True, alpha=0.5, color=colour, label=label)
        distance = chi2.get(name)
        title = name if distance is None else f"{name}   χ² = {distance:.2f}"
        tidy(ax, title, "score, scaled to its range", "density" if i % 3 == 0 else "")
    axes[0].legend(fontsize=8, frameon=False)
    return figure


def ranking_curves(table: ScoreTable) -> Figure:
    """ROC and precision-recall curves of all named scores; one thin line per member where there are several.

    The score that ``pred_score`` is stands out in black. The table needs labels of both classes.
    """
    figure, (roc, pr) = panels(2, columns=2, height=4.6)
    labels = table.gt_label
    assert labels is not None
    others = 0
    for name, members in table.shown_rows.items():
        colour, style, width = "black", "-", 1.8
        if name != table.primary:
            colour, style = PALETTE[others % len(PALETTE)], _STYLES[others // len(PALETTE) % len(_STYLES)]
            width, others = (1.3 if len(members) == 1 else 0.6), others + 1
        for k, member in enumerate(members):
            label = plain(name) if k == 0 else None
            for ax, curve in ((roc, roc_curve), (pr, precision_recall_curve)):
                ax.plot(*_thinned(*curve(labels, member)), style, color=colour, linewidth=width, label=label)
    roc.plot([0, 1], [0, 1], color="#94a3b8", linewidth=0.8, linestyle=":")
    pr.axhline(float(np.mean(labels)), color="#94a3b8", linewidth=0.8, linestyle=":")
    tidy(roc, "ROC", "false positive rate = 1 - specificity", "true positive rate = sensitivity")
    tidy(pr, "Precision and recall", "recall = sensitivity", "precision")
    for ax in (roc, pr):
        ax.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02))
    roc.legend(fontsize=8, frameon=False, loc="lower right")
    return figure


def decision_curve(worth: np.ndarray, benefit: np.ndarray, abnormal_share: float) -> Figure:
    """Draw what reading the best list is worth, in abnormal images found in 100, beside reading all images and none.

    Parameters
    ----------
    worth : ndarray
        (k,) ascending, see :func:`medad.evaluation.promises.workload.net_benefit`.
    benefit : ndarray
        (k,) what that returns.
    abnormal_share : float
        Of the images where the list is read.
    """
    figure, (ax,) = panels(1, columns=1, height=3.4)
    figure.set_figwidth(6.4)
    everything = 100 * (abnormal_share - (1 - abnormal_share) * worth)
    ax.plot(100 * worth, 100 * benefit, color="black", linewidth=1.8, label="the best list by the score")
    ax.plot(100 * worth, everything, "--", color=PALETTE[0], linewidth=1.3, label="reading all images")
    ax.axhline(0, color="#94a3b8", linewidth=0.8, linestyle=":", label="reading none")
    tidy(ax, "", "cost of reading 100 normal images", "worth of the list, of 100 images")
    ax.set(xlim=(0, 100 * worth[-1]), ylim=(-10 * abnormal_share, 105 * abnormal_share))
    ax.legend(fontsize=8, frameon=False, loc="upper right")
    return figure


def _thinned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keep at most `_CURVE_POINTS` points: more cannot be seen and only make the file large."""
    index = np.unique(np.linspace(0, len(x) - 1, _CURVE_POINTS).round().astype(int))
    return x[index], y[index]


def training_curves(losses: Mapping[str, np.ndarray]) -> Figure:
    """Mean loss per epoch; phases that differ in a last number only (``ndm_1``, ``ndm_2``) share a panel."""
    groups: dict[str, dict[str, np.ndarray]] = {}
    for phase, values in losses.items():
        groups.setdefault(re.sub(r"_\d+$", "", phase), {})[phase] = np.asarray(values, dtype=float)
    figure, axes = panels(len(groups))
    for ax, (group, phases) in zip(axes, groups.items(), strict=True):
        for i, (phase, values) in enumerate(phases.items()):
            marker = "o" if len(values) == 1 else ""
            epochs = np.arange(1, len(values) + 1)
            colour = PALETTE[i % len(PALETTE)]
            ax.plot(epochs, values, marker=marker, color=colour, linewidth=1, label=plain(phase))
        tidy(ax, group, "epoch", "loss")
        ax.set_xlim(left=0)
        if len(phases) > 1:
            ax.legend(fontsize=7, frameon=False)
    return figure
