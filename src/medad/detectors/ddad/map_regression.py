"""R_nu: what tells maps of unlabeled images from maps of normal ones, a linear regression on their cells."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from medad.evaluation.pools import folds_of, normal_against_unlabeled
from medad.evaluation.selection import standardised

CELLS = 8  # along a side
LEAST = 1e-6  # below it a discrepancy counts as so much


def cells_of(maps: Sequence[Tensor], grid: int = CELLS) -> Tensor:
    """Return the logarithms of the means of maps (n, S, S) over cells, (n, maps x grid x grid) float64."""
    return F.adaptive_avg_pool2d(torch.stack(list(maps), 1), grid).double().clamp(min=LEAST).log().flatten(1)


def regression(
    rows: np.ndarray, unlabeled: np.ndarray, seed: int, patients: Sequence[str] | None
) -> tuple[np.ndarray, np.ndarray]:
    """Regress unlabeled against normal images.

    Parameters
    ----------
    rows : ndarray
        (n, d).
    unlabeled : ndarray
        (n,) 0 for normal, 1 for unlabeled images.
    seed : int
        Of the folds.
    patients : sequence of str or None
        (n,) whose each image is; a patient's are in one fold.

    Returns
    -------
    scores : ndarray
        (n,) of the regression of the folds that the image is not in.
    weights : ndarray
        (d + 1,) of the regression on all images, the intercept last.
    """
    held = np.zeros(len(rows))
    for train, left in folds_of(unlabeled, seed, patients):
        scores = rows[left] @ _weights(rows, unlabeled, train, seed, patients)[:-1]
        held[left] = standardised(scores, unlabeled[left] == 0)
    return held, _weights(rows, unlabeled, np.arange(len(rows)), seed, patients)


def _weights(
    rows: np.ndarray, unlabeled: np.ndarray, train: np.ndarray, seed: int, patients: Sequence[str] | None
) -> np.ndarray:
    parts = [train[unlabeled[train] == pool] for pool in (0, 1)]
    owners = None if patients is None else [patients[i] for part in parts for i in part]
    return normal_against_unlabeled(rows[parts[0]], rows[parts[1]], seed, owners)


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
