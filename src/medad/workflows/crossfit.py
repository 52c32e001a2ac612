"""Scores of images by models that had not seen them."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np

from medad.data.imageset import ImageSet
from medad.errors import UserError
from medad.evaluation.pools import FOLDS, Folds, folds_of
from medad.evaluation.selection import standardised
from medad.training.seeds import derive_seed

# Learns from normal and unlabeled images, and returns what scores others: (n,) by name.
Learn = Callable[[ImageSet, ImageSet], Callable[[ImageSet], dict[str, np.ndarray]]]


@dataclass(frozen=True)
class Pools:
    """The normal and the unlabeled images; together they are counted from the first normal one on."""

    normal: ImageSet
    unlabeled: ImageSet

    @property
    def unlabeled_labels(self) -> np.ndarray:
        """(n,) 0 for normal, 1 for unlabeled images."""
        return np.repeat([0, 1], [len(self.normal), len(self.unlabeled)])

    @property
    def patients(self) -> tuple[str, ...] | None:
        """Whose each image is, empty where unknown; None where none is known."""
        both = [images.patients or ("",) * len(images) for images in (self.normal, self.unlabeled)]
        names = (*both[0], *both[1])
        return names if any(names) else None

    def folds(self, seed: int) -> Folds:
        """Return five folds, a patient's images in one of them.

        Raises
        ------
        UserError
            If there are too few images or patients.
        """
        found = folds_of(self.unlabeled_labels, derive_seed(seed, "select"), self.patients)
        if not found:
            raise UserError(
                f"{len(self.normal)} normal and {len(self.unlabeled)} unlabeled images: too few to choose by; images "
                f"of at least {FOLDS} patients of either kind are needed"
            )
        return found

    @contextmanager
    def part(self, rows: np.ndarray) -> Iterator[tuple[ImageSet, ImageSet]]:
        """Yield the normal and the unlabeled images among `rows`, in files while they are needed."""
        first = len(self.normal)
        with TemporaryDirectory(prefix="medad-") as folder:
            yield (
                self.normal.subset(rows[rows < first], Path(folder) / "normal.npy"),
                self.unlabeled.subset(rows[rows >= first] - first, Path(folder) / "unlabeled.npy"),
            )


def held_out_scores(pools: Pools, folds: Folds, learn: Learn) -> tuple[dict[str, np.ndarray], float]:
    """Return the scores of the images left out of each fold, in the order of the folds, and the seconds of one.

    Parameters
    ----------
    pools : Pools
        The images.
    folds : list of pair of ndarray
        Of each the rows that are learned from, and those that are scored, all ascending.
    learn : callable
        Called for each fold.
    """
    parts: list[dict[str, np.ndarray]] = []
    seconds = []
    for train, test in folds:
        began = time.monotonic()
        with pools.part(train) as given, pools.part(test) as held, _hushed():
            score = learn(*given)
            pair = [score(images) for images in held]
        seconds.append(time.monotonic() - began)
        normal = test < len(pools.normal)
        both = {name: np.concatenate([pair[0][name], pair[1][name]]) for name in pair[0].keys() & pair[1].keys()}
        parts.append({name: standardised(values, normal) for name, values in both.items()})
    names = [name for name in parts[0] if all(name in part for part in parts)]
    return {name: np.concatenate([part[name] for part in parts]) for name in names}, median(seconds)


@contextmanager
def _hushed() -> Iterator[None]:
    """Let nobody hear what each of the many models has to tell of itself, unless it fails."""
    told = StringIO()
    try:
        with redirect_stderr(told):
            yield
    except BaseException:
        print(told.getvalue(), end="", file=sys.stderr)
        raise
