"""The images of an archive that is being ranked, and what is learned from them."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from medad.data.imageset import ImageSet
from medad.detectors.contract.detector import Detector
from medad.workflows.mixing import divided, mixed, promise_on
from medad.workflows.promise import Promise
from medad.workflows.splits import Splits


@dataclass(frozen=True)
class Ranking:
    """An archive that is being ranked.

    Attributes
    ----------
    archive, normal : ImageSet
        Its images, and normal ones to learn from.
    copies : ndarray
        Which images of the archive, ``bool``, are among the normal ones, these or those hidden.
    intensities : dict
        What the intensity rule did to either.
    hidden : ImageSet or None
        Other normal images, which are mixed with the archive.
    """

    archive: ImageSet
    normal: ImageSet
    copies: np.ndarray
    intensities: dict[str, dict[str, int]]
    hidden: ImageSet | None = None

    def hiding(self, seed: int) -> "Ranking":
        """Return the same with some of the normal images to be hidden."""
        normal, hidden = divided(self.normal, seed)
        return replace(self, normal=normal, hidden=hidden)

    def splits(self, folder: Path) -> Splits:
        """Return what is learned from: an image in both pools would be learned as normal and as unlabeled."""
        if self.copies.all():
            return Splits(self.normal, None, (), self.intensities)
        rest = np.flatnonzero(~self.copies)
        new = self.archive.subset(rest, folder / "new.npy") if self.copies.any() else self.archive
        unlabeled = new if self.hidden is None else mixed(new, self.hidden, folder)
        return Splits(self.normal, unlabeled, (), self.intensities)

    def promise(self, run: Path, detector: Detector) -> Promise:
        """Return what is promised about the archive."""
        if self.hidden is None or self.copies.all():
            return Promise.of_run(run, detector)
        return promise_on(detector, self.hidden)
