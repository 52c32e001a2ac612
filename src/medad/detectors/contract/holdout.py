"""Normal images kept from training, to choose the threshold on."""

import warnings
from pathlib import Path

import numpy as np

from medad.data.imageset import ImageSet
from medad.evaluation.statistics import units
from medad.training.seeds import derive_seed


def split_holdout(
    normal: ImageSet, share: float, seed: int, into: Path | None = None
) -> tuple[ImageSet, ImageSet | None]:
    """Split off `share` of the normal images (at least one) for the threshold; patients stay together.

    Where fewer than two would remain to learn from, none is split off, with a warning. The others'
    pixels are copied into memory or, if given, into the ``.npy`` file `into`.
    """
    if share <= 0:
        return normal, None
    names = units(normal.patients) if normal.patients else np.arange(len(normal))
    groups = np.unique(names, return_inverse=True)[1]
    order = np.random.default_rng(derive_seed(seed, "holdout")).permutation(groups.max() + 1)
    wanted = max(round(share * len(normal)), 1)
    sizes = np.bincount(groups)[order]
    chosen = order[: int(np.searchsorted(np.cumsum(sizes), wanted)) + 1]
    held_out = np.isin(groups, chosen)
    if (~held_out).sum() < 2:
        warnings.warn("too few normal images or patients to hold some out: no threshold", stacklevel=2)
        return normal, None
    return normal.subset(np.flatnonzero(~held_out), into), normal.subset(np.flatnonzero(held_out))
