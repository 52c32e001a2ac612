"""How the images of a training are divided into folds: by what they show, not by the order in which they came."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from medad.detectors.contract.plan import Plan
from medad.detectors.contract.seen import digests_of
from medad.evaluation.pools import FOLDS, Folds, folds_of
from medad.evaluation.units import units
from medad.training.seeds import derive_seed


@dataclass(frozen=True)
class FoldData:
    """What one fold's model may look at.

    Attributes
    ----------
    normal, unlabeled : ndarray
        (n, D) and (m, D) descriptors to learn from.
    held_normal, held_unlabeled : ndarray
        (k, D) and (l, D) descriptors of the images left out, to be scored.
    groups : ndarray
        (n + m,) whose each image to learn from is: those of one patient, and equal ones, have the same number.
    seed : int
        Everything random comes from it.
    """

    normal: np.ndarray
    unlabeled: np.ndarray
    held_normal: np.ndarray
    held_unlabeled: np.ndarray
    groups: np.ndarray
    seed: int

    @property
    def rows(self) -> np.ndarray:
        """All to learn from, (n + m, D), the normal first."""
        return np.concatenate([self.normal, self.unlabeled])

    @property
    def pool(self) -> np.ndarray:
        """0 for each normal and 1 for each unlabeled one of them, (n + m,)."""
        return np.repeat([0, 1], [len(self.normal), len(self.unlabeled)])

    @property
    def held(self) -> np.ndarray:
        """All that are left out, (k + l, D), the normal first."""
        return np.concatenate([self.held_normal, self.held_unlabeled])


@dataclass(frozen=True)
class Division:
    """The folds of a training.

    Attributes
    ----------
    pool : ndarray
        (n,) 0 for each normal, then 1 for each unlabeled image.
    digests, groups : ndarray
        (n,) what each image is known by, and the number of the patient, or of the equal images, that it belongs to.
    folds : list
        Training and held-out images of each fold, the normal first, each pool in the order of its digests; empty
        where there is nothing to divide.
    """

    pool: np.ndarray
    digests: np.ndarray
    groups: np.ndarray
    folds: Folds

    @classmethod
    def of(cls, plan: Plan, most: int = FOLDS) -> Self:
        """Return the folds of a training: as many as the images or patients allow, at most `most`; none if one.

        The same images are divided alike in whatever order they came. All images of a patient, and all that look
        exactly the same, are in one fold.
        """
        pool = np.repeat([0, 1], plan.data.counts)
        files = (np.load(file, mmap_mode="r", allow_pickle=False) for file in plan.data.files)
        digests = np.concatenate([digests_of(pixels).numpy() for pixels in files])
        order, patients = np.lexsort((digests, pool)), plan.data.patients
        groups = np.empty(len(pool), np.int64)
        groups[order] = _together(digests[order], None if patients is None else [patients[i] for i in order])
        apart = len(np.unique(groups)) == len(groups)
        names = None if apart else [str(group) for group in groups[order]]
        seed = derive_seed(plan.seed, "folds")
        counts = range(min(most, *plan.data.counts), 1, -1)
        found = next(filter(None, (folds_of(pool[order], seed, names, count) for count in counts)), [])
        return cls(pool, digests, groups, [(order[train], order[test]) for train, test in found])

    def data(self, rows: np.ndarray, fold: int, seed: int) -> FoldData:
        """Return what the model of `fold` may look at, given the descriptors of all images, (n, D)."""
        train, test = self.folds[fold]
        normal, unlabeled, held_normal, held_unlabeled = (
            rows[part[self.pool[part] == pool]] for part in (train, test) for pool in (0, 1)
        )
        return FoldData(normal, unlabeled, held_normal, held_unlabeled, self.groups[train], seed)


def _together(digests: np.ndarray, patients: list[str] | None) -> np.ndarray:
    """Return a number for each image, (n,), the same for those of one patient and for equal ones, and so on."""
    image = np.unique(digests, return_inverse=True)[1]
    if patients is None:
        return image
    owner = np.unique(units(patients), return_inverse=True)[1] + len(digests)
    links = coo_array((np.ones(len(image)), (image, owner)), shape=(2 * len(image), 2 * len(image)))
    return connected_components(links, directed=False)[1][image]
