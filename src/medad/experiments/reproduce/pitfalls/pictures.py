"""Figures of a study: heat maps of disks, curves of textures and of trained models."""

import io
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medad.experiments.reproduce.pitfalls.experiments import TRAINED
from medad.experiments.reproduce.pitfalls.findings import closest
from medad.experiments.reproduce.pitfalls.further import Curve, curves
from medad.experiments.reproduce.pitfalls.models import MODELS
from medad.experiments.reproduce.pitfalls.stored import Grid, Study
from medad.experiments.reproduce.pitfalls.trained import GIVEN
from medad.reports.figures import INK, PALETTE, tidy

IN_A_ROW = 3  # panels
DASHED = 0.25  # intensity, as in the paper's figure
BLUR, DISK = "sigma of the blur, pixels", "intensity of the disk"
COLOURS = dict(zip(MODELS, PALETTE, strict=True))
STYLES = dict(zip(GIVEN, ("-", "--"), strict=True))
MARKERS = dict(zip(GIVEN, ("o", "s"), strict=True))


def picture_name(dataset: str, scale: str) -> str:
    """Return the name of the file of a study's figure."""
    return f"pitfalls-{dataset}-{scale}.png"


def picture(study: Study) -> bytes:
    """Return the figure, PNG: panels for the experiments that there are."""
    panels = list(_panels(study.grids))
    columns, rows = min(len(panels), IN_A_ROW), -(-len(panels) // IN_A_ROW)
    figure = Figure(figsize=(4.2 * columns, 3.6 * rows), layout="constrained")
    for number, draw in enumerate(panels, 1):
        draw(figure.add_subplot(rows, columns, number))
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=110)
    return png.getvalue()


def _panels(grids: Mapping[str, Grid]) -> Iterator[Callable[[Axes], None]]:
    for name, title in (("pitfalls1", "disks: AP"), ("pitfalls1b", "disks, images equalised: AP")):
        if name in grids:
            yield partial(_heat_map, grid=grids[name], title=title)
    if "pitfalls2" in grids:
        yield partial(_textures, textures=grids["pitfalls2"], disks=grids.get("pitfalls1"))
    if TRAINED in grids:
        every = curves(grids)
        yield partial(_models, every=every, intensities=grids[TRAINED].intensities)
        yield partial(_errors, every=every)


def _heat_map(axes: Axes, grid: Grid, title: str) -> None:
    extent = (grid.sigmas[0], grid.sigmas[-1], grid.intensities[0], grid.intensities[-1])
    shown = axes.imshow(grid.ap, origin="lower", aspect="auto", extent=extent, vmin=0, vmax=1, cmap="viridis")
    tidy(axes, title, BLUR, DISK)
    axes.grid(False)
    axes.axhline(DASHED, color="white", linestyle="--", linewidth=1)
    assert axes.figure is not None
    axes.figure.colorbar(shown, ax=axes)


def _textures(axes: Axes, textures: Grid, disks: Grid | None) -> None:
    for name, curve, colour in zip(textures.anomalies, textures.ap, PALETTE, strict=False):
        axes.plot(textures.sigmas, curve, color=colour, label=name)
    if disks is not None:
        for row in sorted({closest(curve, disks.ap) for curve in textures.ap}):
            axes.plot(disks.sigmas, disks.ap[row], ":", color=INK, label=f"disk of {disks.intensities[row]:.2f}")
    tidy(axes, "textures, and the closest disks", BLUR, "AP")
    axes.set_ylim(0, 1.02)
    axes.legend(fontsize=7, frameon=False)


def _models(axes: Axes, every: list[Curve], intensities: np.ndarray) -> None:
    for curve in every:
        label = curve.model if curve.given == "normal" else None
        axes.plot(intensities, curve.ap, STYLES[curve.given], color=COLOURS[curve.model], label=label)
    tidy(axes, "trained models; dashed: of anomalous images", DISK, "AP")
    axes.set_ylim(0, 1.02)
    axes.legend(fontsize=7, frameon=False)


def _errors(axes: Axes, every: list[Curve]) -> None:
    for curve in every:
        axes.plot(curve.error, curve.mean, MARKERS[curve.given], color=COLOURS[curve.model])
    tidy(axes, "error against AP; squares: of anomalous images", "mean absolute residual", "mean AP")
    axes.locator_params(axis="x", nbins=5)
