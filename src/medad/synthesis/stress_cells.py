"""Anomalies of controlled kind, strength and size: the cells of a stress test (after Meissen et al., MIDL 2022)."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from medad.synthesis.disks import blurred, filled, raised, shuffled, sink, source

RADII = (0.02, 0.04, 0.08, 0.12)  # of disks, shares of the image's side
INTENSITIES = tuple(i / 8 for i in range(9))  # from black to white
OFFSETS = (-0.5, -0.2, -0.1, -0.05, 0.05, 0.1, 0.2, 0.5)  # added to what is there
TEXTURES = ("shuffle", "source", "sink", "blur")
LEVELS: dict[str, tuple[Any, ...]] = {
    "intensity": INTENSITIES,
    "contrast": OFFSETS,
    "soft contrast": OFFSETS,
    "texture": TEXTURES,
}


@dataclass(frozen=True)
class Cell:
    """One kind of anomaly.

    Attributes
    ----------
    kind : str
        A key of `LEVELS`.
    level : float or str
        How strong it is, one of the kind's levels.
    radius : float
        One of `RADII`.
    """

    kind: str
    level: Any
    radius: float


CELLS = tuple(Cell(kind, level, radius) for kind, levels in LEVELS.items() for level in levels for radius in RADII)


def changed(image: np.ndarray, mask: np.ndarray, cell: Cell, rng: np.random.Generator) -> np.ndarray:
    """Return an image (H, W, C) in [0, 1] with the anomaly of a cell under the mask (H, W)."""
    if cell.kind == "intensity":
        return filled(image, mask, cell.level)
    if cell.kind != "texture":
        return raised(image, mask, cell.level, soft=cell.kind == "soft contrast")
    if cell.level == "shuffle":
        return shuffled(image, mask, rng)
    texture = {"source": source, "sink": sink, "blur": blurred}[cell.level]
    return texture(image, mask, cell.radius * len(image))
