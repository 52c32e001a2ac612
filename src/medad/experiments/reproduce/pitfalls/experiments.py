"""The experiments without trained networks: what is put into the disks, and how fine the grid is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from medad.experiments.reproduce.pitfalls.equalised import equalised
from medad.experiments.reproduce.pitfalls.landscape import Landscape, behind_blur, over_images
from medad.synthesis.disks import disk_masks, shuffled, sink, source

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
    """The grid of an experiment.

    Attributes
    ----------
    anomalies, reconstructions : sequence of str
        Names of its rows and columns.
    column : callable
        Number of a reconstruction, number of threads -> its column.
    prepare : callable
        Called before the first column.
    facts : mapping
        What else is to be known of the reconstructions.
    """

    anomalies: Sequence[str]
    reconstructions: Sequence[str]
    column: Callable[[int, int], Landscape]
    prepare: Callable[[], None] = lambda: None
    facts: Mapping[str, Any] = field(default_factory=dict)


def disks(images: np.ndarray, scale: Scale) -> Task:
    """Return experiment 1: disks of one intensity."""
    flat = [scale.intensities[:, None]] * len(images)
    return _behind_blurs(images, disk_masks(images, SEED), named(scale.intensities), flat, scale)


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
    return _behind_blurs(images, masks, TEXTURES, contents, scale)


def named(values: np.ndarray) -> list[str]:
    """Return numbers as they stand in files."""
    return [f"{value:.4g}" for value in values]


def _behind_blurs(
    images: np.ndarray, masks: np.ndarray, anomalies: Sequence[str], contents: Sequence[np.ndarray], scale: Scale
) -> Task:
    def column(number: int, jobs: int) -> Landscape:
        return over_images(images, masks, contents, partial(behind_blur, sigma=scale.sigmas[number]), jobs)

    return Task(anomalies, named(scale.sigmas), column)


BLURRED: Mapping[str, Callable[[np.ndarray, Scale], Task]] = {
    "pitfalls1": disks,
    "pitfalls1b": equalised_disks,
    "pitfalls2": textures,
}
TRAINED = "pitfalls3"
# What each command computes: `further` compares the curves of others, those of trained models where these are stored.
NAMES = {name: (name,) for name in (*BLURRED, TRAINED)} | {"pitfalls_further": ("pitfalls1", "pitfalls2")}
