"""Figures of a study: heat maps of disks, and curves of textures."""

import io
from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medad.experiments.reproduce.pitfalls.findings import closest
from medad.experiments.reproduce.pitfalls.stored import Grid, Study
from medad.reports.figures import INK, PALETTE, tidy

DASHED = 0.25  # intensity, as in the paper's figure
MAPS = {"pitfalls1": "disks of one intensity: AP", "pitfalls1b": "the same, images equalised: AP"}


def picture_name(dataset: str, scale: str) -> str:
    """Return the name of the file of a study's figure."""
    return f"pitfalls-{dataset}-{scale}.png"


def picture(study: Study) -> bytes:
    """Return the figure, PNG: a panel for each experiment that there is."""
    figure = Figure(figsize=(4.2 * len(study.grids), 3.6), layout="constrained")
    panels = dict(zip(study.grids, figure.subplots(1, len(study.grids), squeeze=False)[0], strict=True))
    for name, axes in panels.items():
        if name in MAPS:
            _heat_map(axes, study.grids[name], MAPS[name])
        else:
            _curves(axes, study.grids)
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=110)
    return png.getvalue()


def _heat_map(axes: Axes, grid: Grid, title: str) -> None:
    extent = (grid.sigmas[0], grid.sigmas[-1], grid.intensities[0], grid.intensities[-1])
    shown = axes.imshow(grid.ap, origin="lower", aspect="auto", extent=extent, vmin=0, vmax=1, cmap="viridis")
    tidy(axes, title, "sigma of the blur, pixels", "intensity of the disk")
    axes.grid(False)
    axes.axhline(DASHED, color="white", linestyle="--", linewidth=1)
    assert axes.figure is not None
    axes.figure.colorbar(shown, ax=axes)


def _curves(axes: Axes, grids: Mapping[str, Grid]) -> None:
    textures, disks = grids["pitfalls2"], grids.get("pitfalls1")
    for name, curve, colour in zip(textures.anomalies, textures.ap, PALETTE, strict=False):
        axes.plot(textures.sigmas, curve, color=colour, label=name)
    if disks is not None:
        for row in sorted({closest(curve, disks.ap) for curve in textures.ap}):
            axes.plot(disks.sigmas, disks.ap[row], ":", color=INK, label=f"disk of {disks.intensities[row]:.2f}")
    tidy(axes, "textures, and the closest disks", "sigma of the blur, pixels", "AP")
    axes.set_ylim(0, 1.02)
    axes.legend(fontsize=7, frameon=False)
