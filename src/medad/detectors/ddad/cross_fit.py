"""DDADs that each learned without a fold of the images: what is learned from their maps, and how these become one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from medad.detectors.contract.division import Division
from medad.detectors.contract.plan import Plan
from medad.detectors.contract.seen import fold_of
from medad.detectors.ddad.choice import Choice, choice_of, judged_tensors
from medad.detectors.ddad.ensemble import RAW, RAW_SCORE
from medad.detectors.ddad.map_regression import CELLS, cells_of, contributions, regressions
from medad.evaluation.selection import unit_of
from medad.training.fit import Fit
from medad.training.spec import Recipe

NAME = "choice"  # of the fit
NU = "r_nu"
AT_ONCE = 64

Maps = dict[str, Tensor]
Analyse = Callable[[Tensor, int], Maps]  # images, fold -> all maps by the networks that learned without it


def cross_fit(
    plan: Plan, recipe: Recipe, division: Division, names: Sequence[str], finished: Callable[[Plan], Analyse]
) -> Fit:
    """Return the fit that sees every image by the networks that left it out, regresses and chooses the score.

    Parameters
    ----------
    plan, recipe
        As for every fit.
    division : Division
        The folds.
    names : sequence of str
        The maps to choose from, the usual one last.
    finished : callable
        Returns what makes maps by the networks that lie finished.
    """
    images, analyse = plan.images(), finished(plan)
    fold = torch.from_numpy(_numbers(division))
    rows = torch.zeros(plan.count, len(RAW) * CELLS**2, dtype=torch.float64, device=plan.device)
    scores = torch.zeros(plan.count, len(names), dtype=torch.float64, device=plan.device)

    def update(index: Tensor) -> None:
        for k in fold[index.cpu()].unique().tolist():
            left = index[fold[index.cpu()] == k]
            maps = analyse(images(left), k)
            rows[left] = cells_of([maps[name] for name in RAW])
            scores[left] = torch.stack([_mean(maps[name]) for name in names], 1).double()

    def finish(found: dict[str, Tensor]) -> dict[str, Tensor]:
        with threadpool_limits(1):
            cells, means = (found[of].cpu().numpy() for of in ("rows", "scores"))
            return _look_back(division, names, cells, means, plan.seed)

    return Fit(NAME, {"rows": rows, "scores": scores}, update, finish)


def _look_back(
    division: Division, names: Sequence[str], rows: np.ndarray, scores: np.ndarray, seed: int
) -> dict[str, Tensor]:
    """Return what is learned from the cells (n, d) and the means of the maps (n, c) of all images."""
    pool, fold = division.pool, _numbers(division)
    centres, weights = regressions(rows, pool, fold, division.groups, seed)
    every = np.column_stack([scores, ((rows - centres[fold]) * weights[fold]).sum(1)])
    units = np.array([unit_of(every[(fold == k) & (pool == 0)]) for k in range(len(centres))])
    held = (every - units[fold, 0]) / units[fold, 1]
    columns = dict(zip([*names, NU], held.T, strict=True))
    order = division.digests.argsort(kind="stable")
    found = {"centres": centres, "weights": weights, "units": units}
    found |= {"seen": division.digests[order], "folds": fold[order]}
    groups = [str(group) for group in division.groups]
    return {name: torch.from_numpy(value) for name, value in found.items()} | judged_tensors(
        pool, columns, names[-1], groups
    )


def _numbers(division: Division) -> np.ndarray:
    """Return in which fold each image is left out, (n,)."""
    number = np.zeros(len(division.pool), np.int64)
    for k, (_, left) in enumerate(division.folds):
        number[left] = k
    return number


def _mean(maps: Tensor) -> Tensor:
    return maps.mean((1, 2))


@dataclass(frozen=True)
class CrossFit:
    """What the fit has found.

    Attributes
    ----------
    names : list of str
        All maps, R_nu last.
    centres, weights : Tensor
        (folds, d) of the regressions, see :func:`medad.detectors.ddad.map_regression.regressions`.
    units : Tensor
        (folds, 2, maps) median of the scores of the fold's left-out normal images, and the width of their middle half.
    seen, folds : Tensor
        (n,) digests of the images of the training, ascending, and by which fold each was left out.
    choice : Choice
        The score that is reported.
    """

    names: list[str]
    centres: Tensor
    weights: Tensor
    units: Tensor
    seen: Tensor
    folds: Tensor
    choice: Choice

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor], names: Sequence[str]) -> Self | None:
        """Return what stands among the tensors of all fits, given the names of the networks' maps; None if nothing."""
        own = {n.removeprefix(f"{NAME}/"): t for n, t in tensors.items() if n.startswith(f"{NAME}/")}
        if not own:
            return None
        every = [*names, NU]
        return cls(every, choice=choice_of(own.pop("chosen"), own.pop("judged"), [RAW_SCORE, *every[1:]]), **own)

    def joined(self, x: Tensor, analyse: Analyse) -> Maps:
        """Return the maps of images in units of the spread of normal ones, (n, S, S) each.

        They are those of the fold that left it out of an image that was learned from, means over folds of others.
        """
        own = fold_of(x, self.seen, self.folds)
        joined = {name: torch.zeros_like(x[:, 0]) for name in self.names}
        for k, (middle, width) in enumerate(self.units.float()):
            rows = ((own < 0) | (own == k)).nonzero()[:, 0]
            share = torch.where(own[rows] < 0, 1 / len(self.units), 1.0)[:, None, None]
            for name, value in self._maps(x[rows], k, analyse).items():
                of = self.names.index(name)
                joined[name][rows] += share * (value - middle[of]) / width[of]
        return joined

    def _maps(self, x: Tensor, fold: int, analyse: Analyse) -> Maps:
        if not len(x):
            return {}
        maps = analyse(x, fold)
        cells = cells_of([maps[name] for name in RAW]) - self.centres[fold]
        return maps | {NU: contributions(cells, self.weights[fold], x.shape[-1])}
