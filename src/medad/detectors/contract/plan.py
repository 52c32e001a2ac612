"""All that the stages of a training need, as one thing."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import torch

from medad.data.imageset import ImageSet
from medad.training.job import finished_path
from medad.training.pixels import Pixels, open_pixels


@dataclass(frozen=True)
class TrainingData:
    """Training images as worker processes see them: of the normal, then of the unlabeled ones, if any.

    Attributes
    ----------
    files : tuple of Path
        Arrays to map.
    counts : tuple of int
        Numbers of images.
    fingerprints : tuple of str
        Digests of the images.
    patients : tuple of str or None
        Of all images, "" where unknown; None where none is known.
    """

    files: tuple[Path, ...]
    counts: tuple[int, ...]
    fingerprints: tuple[str, ...]
    patients: tuple[str, ...] | None = None

    @property
    def normal(self) -> "TrainingData":
        """The normal images alone."""
        patients = None if self.patients is None else self.patients[: self.counts[0]]
        return TrainingData(self.files[:1], self.counts[:1], self.fingerprints[:1], patients)


@dataclass(frozen=True)
class Plan:
    """A training as its phases and fits see it, in whatever process.

    Attributes
    ----------
    options : Options
        Of the method, for so many images.
    data : TrainingData
        The images.
    folder : Path
        Where finished parts lie.
    seed : int
        Of the detector.
    precision, device : str
        See :class:`medad.Detector`.
    """

    options: Any
    data: TrainingData
    folder: Path
    seed: int = 0
    precision: str = "fp32"
    device: str = "cpu"

    @property
    def has_unlabeled(self) -> bool:
        """Whether there are unlabeled images."""
        return len(self.data.files) > 1

    @property
    def count(self) -> int:
        """The number of images."""
        return sum(self.data.counts)

    @property
    def normal(self) -> Self:
        """The same with the normal images alone."""
        return replace(self, data=self.data.normal)

    def images(self) -> Pixels:
        """Open the images."""
        return open_pixels(self.data.files, torch.device(self.device))

    def finished(self, name: str) -> Path:
        """Return where the phase or fit `name` of an earlier stage lies."""
        return finished_path(self.folder, name)

    def with_options(self, options: Any) -> Self:
        """Return the same under other options."""
        return replace(self, options=options)


def patients_of(parts: Iterable[ImageSet]) -> tuple[str, ...] | None:
    """Return the patients of all images, one part after the other; None where none is known."""
    names = [name for part in parts for name in (part.patients or ("",) * len(part))]
    return tuple(names) if any(names) else None
