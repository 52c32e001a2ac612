"""Normal images with and without a disk in them, cell by cell."""

from dataclasses import dataclass, replace

import numpy as np

from medad.data.imageset import ImageSet
from medad.errors import UserError
from medad.synthesis.disks import disk_masks
from medad.synthesis.stress_cells import CELLS, RADII, Cell, changed

DARK = 0.02  # of the range: background, and the noise that JPEG leaves there


@dataclass(frozen=True)
class Stressed:
    """Normal images, and where a disk of each radius lies in them.

    Attributes
    ----------
    images : ImageSet
        n of them, none dark all over.
    masks : dict of float to ndarray
        (n, H, W) ``bool`` by radius; the middles of the disks are the same for all.
    notes : list of str
        What was left out, and why.
    """

    images: ImageSet
    masks: dict[float, np.ndarray]
    notes: list[str]

    @classmethod
    def of(cls, images: ImageSet, seed: int) -> "Stressed":
        """Choose places in the foreground; a radius whose disks are larger than that in most images is left out.

        Raises
        ------
        UserError
            If none is left.
        """
        inside = foreground(images)
        area, side = np.median(inside.sum((1, 2))), inside.shape[1]
        radii = [radius for radius in RADII if np.pi * (radius * side) ** 2 <= area]
        if not radii:
            raise UserError(f"the foreground is smaller than any anomaly, {area:.0f} pixels: give other images")
        notes = [
            f"disks of radius {100 * radius:g} % of the side are larger than the foreground: left out"
            for radius in RADII
            if radius not in radii
        ]
        whole = inside.all((1, 2)).sum()
        if whole:
            notes.append(f"{whole} of {len(images)} images have no dark background: disks may lie anywhere there")
        return cls(images, {radius: disk_masks(inside, seed, radius * side) for radius in radii}, notes)

    @property
    def cells(self) -> list[Cell]:
        """The cells whose disks fit."""
        return [cell for cell in CELLS if cell.radius in self.masks]

    def changed(self, cell: Cell, rows: slice = slice(None)) -> ImageSet:
        """Return the images with the anomaly of a cell."""
        images = self.images.subset(range(len(self.images))[rows])
        pictures = images.pixels.transpose(0, 2, 3, 1).astype(np.float32) / images.scale
        rng = np.random.default_rng(0)  # its draws say which pixel goes where, never which images or places
        done = [changed(x, mask, cell, rng) for x, mask in zip(pictures, self.masks[cell.radius][rows], strict=True)]
        pixels = (np.stack(done) * images.scale).round().astype(images.pixels.dtype)
        return replace(images, pixels=np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)))


def foreground(images: ImageSet) -> np.ndarray:
    """Return what is not dark background, (n, H, W) ``bool``."""
    return images.pixels.max(1) > DARK * images.scale
