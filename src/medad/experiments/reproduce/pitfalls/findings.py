"""What the paper states of the experiments without trained networks, and whether it is so here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from medad.experiments.reproduce.pitfalls.experiments import WIDEST
from medad.experiments.reproduce.pitfalls.stored import Grid

SHARP, BLIND = 0.9, 0.3  # APs: from there on found; below, as good as overlooked
NEAR = 0.1  # of an AP or an intensity that was read off a published figure
MIDDLE = (0.2, 0.55)  # the intensities of which the paper says that they are overlooked at sigma 1


@dataclass(frozen=True)
class Finding:
    """A statement of the paper, our figures, and whether these agree."""

    paper: str
    found: str
    holds: bool


def findings(grids: Mapping[str, Grid]) -> Iterator[Finding]:
    """Yield the statements about those experiments that there are."""
    if "pitfalls1" in grids:
        yield from _disks(grids["pitfalls1"])
        yield from _disks_far_blurred(grids["pitfalls1"])
    if "pitfalls1b" in grids:
        yield from _equalised(grids["pitfalls1b"], grids.get("pitfalls1"))
    if "pitfalls2" in grids:
        yield from _textures(grids["pitfalls2"], grids.get("pitfalls1"))


def closest(curve: np.ndarray, rows: np.ndarray) -> int:
    """Return which of some rows (k, m) is closest to a curve (m,), by the sum of absolute differences."""
    return int(np.abs(rows - curve).sum(1).argmin())


def _disks(grid: Grid) -> Iterator[Finding]:
    values, sharp = grid.intensities, grid.ap[:, grid.sigmas <= 0.3]
    yield Finding(
        "disks of every intensity are found (AP about 1) where sigma is below about 0.3",
        f"lowest AP {sharp.min():.2f}, mean {sharp.mean():.2f}",
        bool(sharp.min() >= SHARP),
    )
    weak, middle = grid.at(1) < BLIND, (values >= MIDDLE[0]) & (values <= MIDDLE[1])
    yield Finding(
        f"sigma 1: AP below {BLIND:g} for intensities of about {MIDDLE[0]:g} to {MIDDLE[1]:g}",
        f"below {BLIND:g} for {_range(values[weak])}; lowest AP {grid.at(1).min():.2f}",
        bool(weak[middle].all()),
    )


def _disks_far_blurred(grid: Grid) -> Iterator[Finding]:
    values, wide = grid.intensities, grid.at(WIDEST)
    lowest = values[wide.argmin()]
    yield Finding(
        f"sigma {WIDEST:g}: the lowest AP is below 0.1, near intensity 0.35",
        f"{wide.min():.2f} at {lowest:.2f}",
        bool(wide.min() < 0.1 and abs(lowest - 0.35) <= NEAR),
    )
    found = values[wide > SHARP]
    yield Finding(
        f"sigma {WIDEST:g}: only intensities close to 1 stay above an AP of about {SHARP:g}",
        f"above {SHARP:g} for {_range(found)}",
        bool(len(found) and found.min() >= SHARP),
    )
    yield Finding(
        f"sigma {WIDEST:g}: a dark disk (intensity 0) keeps an AP of about 0.6",
        f"{wide[0]:.2f} ± {grid.spread[0, -1]:.2f} over images",
        bool(abs(wide[0] - 0.6) <= NEAR),
    )


def _equalised(even: Grid, grid: Grid | None) -> Iterator[Finding]:
    values, wide = even.intensities, even.at(WIDEST)
    lowest = values[wide.argmin()]
    yield Finding(
        f"equalised, sigma {WIDEST:g}: the blind spot lies about intensity 0.5",
        f"lowest AP {wide.min():.2f} at {lowest:.2f}",
        bool(abs(lowest - 0.5) <= NEAR),
    )
    ends = wide[[0, -1]]
    yield Finding(
        f"equalised, sigma {WIDEST:g}: AP of about 0.4 to 0.5 at both ends",
        f"{ends[0]:.2f} at intensity 0, {ends[1]:.2f} at 1",
        bool((np.abs(ends - 0.45) <= NEAR).all()),
    )
    if grid is not None:
        yield from _with_and_without(wide, grid.at(WIDEST))


def _with_and_without(even: np.ndarray, before: np.ndarray) -> Iterator[Finding]:
    gaps = [np.abs(row - row[::-1]).mean() for row in (before, even)]
    yield Finding(
        "equalisation makes the landscape symmetric about intensity 0.5",
        f"mean difference of APs of mirrored intensities {gaps[1]:.2f}, without equalisation {gaps[0]:.2f}",
        bool(gaps[1] < gaps[0]),
    )
    yield Finding(
        "equalisation takes the advantage of bright disks",
        f"AP {even[-1]:.2f} at intensity 1, without equalisation {before[-1]:.2f}",
        bool(even[-1] < before[-1]),
    )


def _textures(textures: Grid, grid: Grid | None) -> Iterator[Finding]:
    told = ", ".join(f"{name} {ap:.2f}" for name, ap in zip(textures.anomalies, textures.at(1), strict=True))
    first = textures.ap[:, textures.sigmas > 0][:, 0]
    yield Finding(
        "textures: AP falls fast with sigma (taken here as: to less than half by sigma 1)",
        f"at sigma 1: {told}; at the smallest sigma above 0: {', '.join(f'{ap:.2f}' for ap in first)}",
        bool((textures.at(1) < first / 2).all()),
    )
    if grid is not None:
        values = grid.intensities[[closest(curve, grid.ap) for curve in textures.ap]]
        yield Finding(
            "textures: each curve resembles that of disks of some middle intensity",
            ", ".join(f"{name} {value:.2f}" for name, value in zip(textures.anomalies, values, strict=True)),
            bool(((values >= MIDDLE[0]) & (values <= MIDDLE[1])).all()),
        )


def _range(values: np.ndarray) -> str:
    ends = dict.fromkeys(f"{value:.2f}" for value in values[[0, -1]]) if len(values) else ("none",)
    return " to ".join(ends)
