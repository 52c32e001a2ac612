"""DDADs that each learned without a fold of the images: what is learned from their maps, and how images are scored."""

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
from medad.detectors.ddad.choice import Choice, choice_of, choose, tensor_of
from medad.detectors.ddad.ensemble import RAW, RAW_SCORE, Ensemble, Networks, maps_by_all
from medad.detectors.ddad.map_regression import CELLS, cells_of, contributions, regressions
from medad.evaluation.selection import unit_of
from medad.evaluation.standard import standard_of
from medad.training.fit import Fit
from medad.training.spec import Recipe

NAME = "choice"  # of the fit
NU = "r_nu"
AT_ONCE = 64
ALL = -1  # stands for the networks of all folds where the number of a fold is expected

Finished = Callable[[Plan], Networks]


def maps_by(fold: int, ensembles: Sequence[Ensemble], networks: Networks, x: Tensor) -> dict[str, Tensor]:
    """Return the maps of images (n, S, S) by the networks that learned without a fold, or by `ALL`."""
    return maps_by_all(ensembles, networks, x) if fold == ALL else ensembles[fold].analyse(networks, x)


def cross_fit(plan: Plan, recipe: Recipe, division: Division, ensembles: Sequence[Ensemble], finished: Finished) -> Fit:
    """Return the fit that sees every image by the networks that left it out, regresses and chooses the score.

    Parameters
    ----------
    plan, recipe
        As for every fit.
    division : Division
        The folds.
    ensembles : sequence of Ensemble
        Those that learned without each.
    finished : callable
        Returns the networks as they lie finished.
    """
    images, networks, names = plan.images(), finished(plan), ensembles[0].maps
    fold = torch.from_numpy(_numbers(division))
    shapes = {"cells": len(RAW) * CELLS**2, "means": len(names)}
    found = {
        f"{of}_{what}": torch.zeros(plan.count, width, dtype=torch.float64, device=plan.device)
        for of in ("own", "all")
        for what, width in shapes.items()
    }

    def put(of: str, index: Tensor, maps: Mapping[str, Tensor]) -> None:
        found[f"{of}_cells"][index] = cells_of([maps[name] for name in RAW])
        found[f"{of}_means"][index] = torch.stack([maps[name].mean((1, 2)) for name in names], 1).double()

    def update(index: Tensor) -> None:
        put("all", index, maps_by(ALL, ensembles, networks, images(index)))
        for k in range(len(ensembles)):
            left = index[fold[index.cpu()] == k]
            if len(left):
                put("own", left, maps_by(k, ensembles, networks, images(left)))

    def finish(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        arrays = {name: value.cpu().numpy() for name, value in tensors.items()}
        with threadpool_limits(1):
            return _look_back(division, names, arrays, plan.seed)

    return Fit(NAME, found, update, finish)


def _look_back(
    division: Division, names: Sequence[str], found: Mapping[str, np.ndarray], seed: int
) -> dict[str, Tensor]:
    """Return what is learned from the cells (n, d) and the means (n, c) of the maps of all images."""
    pool, fold, groups = division.pool, _numbers(division), division.groups
    centres, scales, weights = regressions(found["own_cells"], pool, fold, groups, seed)
    centre, scale = standard_of(found["all_cells"][pool == 0])
    centres, lines = np.vstack([centres, centre]), np.vstack([weights / scales, weights.mean(0) / scale])
    own, every = (
        np.column_stack([found[f"{of}_means"], ((found[f"{of}_cells"] - centres[by]) * lines[by]).sum(1)])
        for of, by in (("own", fold), ("all", np.full(len(fold), ALL)))
    )
    normal = [own[(fold == k) & (pool == 0)] for k in range(len(scales))]
    units = np.array([unit_of(part) for part in (*normal, every[pool == 0])])
    held = (own - units[fold, 0]) / units[fold, 1]
    order = division.digests.argsort(kind="stable")
    learned = {"centres": centres, "lines": lines, "units": units}
    learned |= {"seen": division.digests[order], "folds": fold[order]}
    columns, owners = dict(zip([*names, NU], held.T, strict=True)), [str(group) for group in groups]
    judged = tensor_of(choose(pool, columns, owners))
    return {name: torch.from_numpy(value) for name, value in learned.items()} | {"judged": judged}


def _numbers(division: Division) -> np.ndarray:
    """Return in which fold each image is left out, (n,)."""
    number = np.zeros(len(division.pool), np.int64)
    for k, (_, left) in enumerate(division.folds):
        number[left] = k
    return number


@dataclass(frozen=True)
class CrossFit:
    """What the fit has found.

    Attributes
    ----------
    names : list of str
        All maps, R_nu last.
    centres, lines : Tensor
        (folds + 1, d): the regression's score of cells c of maps by a fold's networks is (c - centre) @ line; the last
        row is for maps by all networks.
    units : Tensor
        (folds + 1, 2, maps) median of the scores of normal images, and the width of their middle half: of those that a
        fold's networks had not learned from; the last row is by all networks, of all of them.
    seen, folds : Tensor
        (n,) digests of the images of the training, ascending, and by which fold each was left out.
    choice : Choice
        The score that is reported.
    """

    names: list[str]
    centres: Tensor
    lines: Tensor
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
        return cls(every, choice=choice_of(own.pop("judged"), [RAW_SCORE, *every[1:]]), **own)

    def maps(self, x: Tensor, ensembles: Sequence[Ensemble], networks: Networks) -> dict[str, Tensor]:
        """Return the maps of images in units of the spread of normal ones, (n, S, S) each.

        They are by all networks of a new image, by those of the fold that left it out of one that was learned from.
        """
        by = fold_of(x, self.seen, self.folds)
        found = {name: torch.zeros_like(x[:, 0]) for name in self.names}
        for fold in by.unique().tolist():
            rows = (by == fold).nonzero()[:, 0]
            maps = maps_by(fold, ensembles, networks, x[rows])
            cells = cells_of([maps[name] for name in RAW]) - self.centres[fold]
            maps[NU] = contributions(cells, self.lines[fold], x.shape[-1])
            for name, (middle, width) in zip(self.names, self.units[fold].float().T, strict=True):
                found[name][rows] = (maps[name] - middle) / width
        return found
