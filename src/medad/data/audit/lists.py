"""The lists of a repartition, in an order that does not depend on how it was written down."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medad.data.entries import Entry
from medad.data.repartition import Repartition

LISTS = ("normal", "unlabeled normal", "unlabeled abnormal", "unlabeled", "test normal", "test abnormal")
SPLITS = ("normal", "unlabeled", "test")
TRAINING, TEST = LISTS[:4], LISTS[4:]


@dataclass(frozen=True)
class Comparison:
    """Two sets of images that ought to differ in nothing but pathology.

    Attributes
    ----------
    name : str
        In files.
    words : str
        What is asked of them.
    first, second : tuple of str
        Lists.
    """

    name: str
    words: str
    first: tuple[str, ...]
    second: tuple[str, ...]


COMPARISONS = (
    Comparison("classes", "normal and abnormal test images", ("test normal",), ("test abnormal",)),
    Comparison("pool", "normal and unlabeled training images", ("normal",), LISTS[1:4]),
    Comparison("normals", "training normals and test normals", ("normal",), ("test normal",)),
)


@dataclass(frozen=True)
class Listed:
    """All images of a repartition, by list and then by name.

    Attributes
    ----------
    entries : tuple of Entry
        The images.
    lists : ndarray
        (N,) positions in `LISTS`.
    """

    entries: tuple[Entry, ...]
    lists: np.ndarray

    @classmethod
    def of(cls, who: Repartition) -> "Listed":
        """List all images of a repartition."""
        named = [(_list_of(split, entry), entry) for split in SPLITS for entry in getattr(who, split)]
        named.sort(key=lambda one: (one[0], one[1].id))
        return cls(tuple(entry for _, entry in named), np.array([number for number, _ in named], dtype=np.int8))

    @property
    def splits(self) -> list[str]:
        """The split of each image."""
        return [LISTS[number].split()[0] for number in self.lists]

    @property
    def ids(self) -> list[str]:
        """The id of each image."""
        return [entry.id for entry in self.entries]

    def among(self, names: Sequence[str]) -> np.ndarray:
        """Return (N,) ``bool``: which images stand in one of the lists `names`."""
        return np.isin(self.lists, [LISTS.index(name) for name in names])

    def counts(self) -> dict[str, int]:
        """Return how many images each list holds that holds any."""
        return {name: int(n) for name, n in zip(LISTS, np.bincount(self.lists, minlength=len(LISTS)), strict=True) if n}


def _list_of(split: str, entry: Entry) -> int:
    kind = {0: f"{split} normal", 1: f"{split} abnormal", None: split}[entry.label]
    return LISTS.index(split if split == "normal" else kind)
