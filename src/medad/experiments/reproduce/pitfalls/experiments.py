"""The experiments without trained networks: what is put into the disks, and how fine the grid is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from medad.experiments.reproduce.pitfalls.disks import disk_masks, equalised, shuffled, sink, source

SEED = 0  # of places and shuffles: the same in every cell
BRIGHTEST, WIDEST = 1.0, 5.0  # intensity of disks; sigma of blurs, in pixels
TEXTURES = ("pixel shuffle", "source deformation", "sink deformation")


@dataclass(frozen=True)
class Scale:
    """How much is computed: intensities and sigmas of the grid, images at most, and their side in pixels."""

    points: int
    images: int
    size: int = 256

    @property
    def intensities(self) -> np.ndarray:
        """Of the disks, (points,)."""
        return np.linspace(0, BRIGHTEST, self.points)

    @property
    def sigmas(self) -> np.ndarray:
        """Of the blurs, (points,)."""
        return np.linspace(0, WIDEST, self.points)


SCALES = {"quick": Scale(25, 50), "paper": Scale(100, 300)}


@dataclass(frozen=True)
class Task:
    """Images with masks, and what is put under each: ``contents[i][k]`` is anomaly ``names[k]`` in image i."""

    images: np.ndarray
    masks: np.ndarray
    names: Sequence[str]
    contents: Sequence[np.ndarray]


def disks(images: np.ndarray, scale: Scale) -> Task:
    """Return experiment 1: disks of one intensity."""
    flat = scale.intensities[:, None]
    return Task(images, disk_masks(images, SEED), [f"{x:.4g}" for x in scale.intensities], [flat] * len(images))


def equalised_disks(images: np.ndarray, scale: Scale) -> Task:
    """Return experiment 1b: the same in images with an even histogram."""
    return disks(np.stack([equalised(image) for image in images]), scale)


def textures(images: np.ndarray, scale: Scale) -> Task:
    """Return experiment 2: the image's own pixels, shuffled or moved."""
    masks, rng = disk_masks(images, SEED), np.random.default_rng(SEED)
    contents = [
        np.stack([changed[mask] for changed in (shuffled(image, mask, rng), source(image, mask), sink(image, mask))])
        for image, mask in zip(images, masks, strict=True)
    ]
    return Task(images, masks, TEXTURES, contents)


EXPERIMENTS: Mapping[str, Callable[[np.ndarray, Scale], Task]] = {
    "pitfalls1": disks,
    "pitfalls1b": equalised_disks,
    "pitfalls2": textures,
}
# What each command computes: `further` compares the curves of others.
NAMES = {name: (name,) for name in EXPERIMENTS} | {"pitfalls_further": ("pitfalls1", "pitfalls2")}
