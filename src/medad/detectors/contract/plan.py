"""All that the stages of a training need, as one thing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from medad.data.imageset import ImageSet
from medad.training.job import finished_path
from medad.training.pixels import ChosenPixels, Pixels, open_pixels, share_pixels


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
    rows : tuple of int or None
        Which images of the files these are, counted over all files; None where they are all.
    """

    files: tuple[Path, ...]
    counts: tuple[int, ...]
    fingerprints: tuple[str, ...]
    patients: tuple[str, ...] | None = None
    rows: tuple[int, ...] | None = None

    @classmethod
    def of(cls, images: Mapping[str, ImageSet], folder: Path) -> Self:
        """Return sets of images by name, the normal ones first; what is in no file yet is put into `folder`."""
        return cls(
            tuple(share_pixels(part, folder / f"{name}.npy") for name, part in images.items()),
            tuple(len(part) for part in images.values()),
            tuple(part.fingerprint for part in images.values()),
            patients_of(images.values()),
        )

    @property
    def normal(self) -> "TrainingData":
        """The normal images alone."""
        first = self.counts[0]
        patients = None if self.patients is None else self.patients[:first]
        rows = None if self.rows is None else self.rows[:first]
        return TrainingData(self.files[:1], self.counts[:1], self.fingerprints[:1], patients, rows)

    def part(self, rows: Sequence[int] | np.ndarray) -> "TrainingData":
        """Return the images at `rows` alone: ascending numbers of images that there are here."""
        starts = np.cumsum([0, *self.counts])
        chosen = np.asarray(rows)
        bounds = np.searchsorted(chosen, starts)
        ends = list(pairwise(bounds.tolist()))
        digests = [blake2b(chosen[a:b].tobytes(), digest_size=8).hexdigest() for a, b in ends]
        return TrainingData(
            self.files,
            tuple(b - a for a, b in ends),
            tuple(f"{name}-{digest}" for name, digest in zip(self.fingerprints, digests, strict=True)),
            None if self.patients is None else tuple(self.patients[i] for i in rows),
            tuple(chosen.tolist() if self.rows is None else (self.rows[i] for i in rows)),
        )


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
        images = open_pixels(self.data.files, torch.device(self.device))
        return images if self.data.rows is None else ChosenPixels(images, self.data.rows)

    def part(self, rows: Sequence[int] | np.ndarray) -> Self:
        """Return the same with the images at `rows` alone, see :meth:`TrainingData.part`."""
        return replace(self, data=self.data.part(rows))

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
