"""R_nu: what tells maps of unlabeled images from maps of normal ones, a linear regression on their cells."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from medad.evaluation.pools import normal_against_unlabeled
from medad.evaluation.standard import standard_of
from medad.training.seeds import derive_seed

CELLS = 8  # along a side
LEAST = 1e-6  # below it a discrepancy counts as so much


def cells_of(maps: Sequence[Tensor], grid: int = CELLS) -> Tensor:
    """Return the logarithms of the means of maps (n, S, S) over cells, (n, maps x grid x grid) float64."""
    return F.adaptive_avg_pool2d(torch.stack(list(maps), 1), grid).double().clamp(min=LEAST).log().flatten(1)


def regressions(
    rows: np.ndarray, pool: np.ndarray, fold: np.ndarray, groups: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Regress unlabeled against normal images, once for each fold, without the images of the fold.

    Parameters
    ----------
    rows : ndarray
        (n, d) cells of maps by networks that had not learned from the image.
    pool, fold : ndarray
        (n,) 0 for normal, 1 for unlabeled images; and the fold of each, from 0, whose networks made its maps. Networks
        of another fold have scales of their own, which the normal images of the fold tell.
    groups : ndarray
        (n,) whose each image is; one's are in one fold.
    seed : int
        Of the choice of the regressions' strength.

    Returns
    -------
    centres, scales, weights : ndarray
        (folds, d) each: the score of cells c by the networks of fold k is ((c - centres[k]) / scales[k]) @ weights[k].
    """
    folds = range(int(fold.max()) + 1)
    centres, scales = map(np.array, zip(*(standard_of(rows[(fold == k) & (pool == 0)]) for k in folds), strict=True))
    standard = (rows - centres[fold]) / scales[fold]
    weights = [_weights(standard, pool, groups, fold != k, derive_seed(seed, f"fold {k}")) for k in folds]
    return centres, scales, np.array(weights)


def _weights(rows: np.ndarray, pool: np.ndarray, groups: np.ndarray, train: np.ndarray, seed: int) -> np.ndarray:
    normal, unlabeled = (np.flatnonzero(train & (pool == of)) for of in (0, 1))
    owners = [str(group) for group in groups[np.concatenate([normal, unlabeled])]]
    return normal_against_unlabeled(rows[normal], rows[unlabeled], seed, owners)[:-1]


def contributions(cells: Tensor, weights: Tensor, size: int) -> Tensor:
    """Return what every place adds to a linear function of cells, (n, size, size): its mean is the function.

    Parameters
    ----------
    cells : Tensor
        (n, maps x grid x grid).
    weights : Tensor
        (maps x grid x grid,).
    size : int
        S.
    """
    parts = (cells * weights).view(len(cells), -1, CELLS, CELLS).sum(1, keepdim=True) * CELLS**2
    return F.interpolate(parts, size, mode="bilinear")[:, 0].float()
