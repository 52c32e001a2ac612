"""Ways to make maps of what the members reconstruct, and how well the maps tell images apart."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import Tensor

from medad.detectors.ddad.map_regression import cells_of, regression
from medad.detectors.unlabeled.standard import standard_of
from medad.experiments.studies.steady.ensembles import WEIGHTS, Modules, Pair, Trained
from medad.networks.autoencoder import Reconstruction

FLOORS = (0.0, 0.05, 0.25, 0.5)  # of sigma: quantiles of that of all pixels of left-out normal images
GRIDS = (1, 2, 4, 8)  # cells along a side of the maps on which R_nu is a regression
POOLED = {"mean": lambda x: x.mean(0), "median": lambda x: x.median(0).values}  # over members
# What the folds make of a test image: one of them alone, the mean of their scores, or all networks as one ensemble.
ONE, MEAN, ALL = "one fold", "mean of folds", "all networks"
COLUMNS = ("epochs", "weights", "form", "fold", "floor", "score", "auc_u", "auroc", "auroc_deduplicated")

Maps = Mapping[str, Tensor]


def maps_of(x: Tensor, modules: Modules, pooling: str, least: float) -> dict[str, Tensor]:
    """Return the maps of images (n, C, S, S), (n, S, S) each.

    Parameters
    ----------
    x : Tensor
        The images.
    modules : mapping
        What the members of both modules make of them.
    pooling : str
        How reconstructions and variances of the members become one, and what their spread is: ``"mean"``, with the
        standard deviation, or ``"median"``, with the median distance from it.
    least : float
        What sigma is at least.
    """
    ndm, udm = modules["ndm"], modules["udm"]
    assert ndm.log_variance is not None
    pool = POOLED[pooling]
    centre = pool(ndm.mean)
    distances = (ndm.mean - centre).abs()
    spread = distances.square().mean(0).sqrt() if pooling == "mean" else pool(distances)
    sigma = pool(ndm.log_variance.exp()).sqrt().clamp(min=least)
    maps = {
        "a_rec": ((x - centre) / sigma).square(),
        "a_intra": spread / sigma,
        "a_inter": (centre - pool(udm.mean)).abs() / sigma,
    }
    return {name: value.mean(1) for name, value in maps.items()}


def figures_of_maps(trained: Trained) -> Iterator[list[object]]:
    """Yield, below `COLUMNS`, every score of every way to make maps."""
    for length, weights in product(trained.folds[0].lengths, WEIGHTS):
        left = [fold.outputs(trained.images[fold.left], length, weights) for fold in trained.folds]
        new = [fold.outputs(trained.test, length, weights) for fold in trained.folds]
        for floor in FLOORS:
            for form, fold, score, *found in _ways(trained, left, new, floor):
                yield [length, weights, form, fold, floor, score, *(f"{figure:.6f}" for figure in found)]


def _ways(trained: Trained, left: list[Modules], new: list[Modules], floor: float) -> Iterator[list[Any]]:
    """Yield form, fold, score, AUC_u (not a number where no image was left out by all) and AUROCs of test images."""
    leasts = [_floor(trained, number, modules, floor) for number, modules in enumerate(left)]
    maps = [
        (maps_of(trained.images[fold.left], one, "mean", least), maps_of(trained.test, other, "mean", least))
        for fold, one, other, least in zip(trained.folds, left, new, leasts, strict=True)
    ]
    for score in maps[0][0]:
        pairs: list[Pair] = [tuple(_mean(of[score]) for of in both) for both in maps]  # type: ignore[misc]
        for number, (fold, (seen, test)) in enumerate(zip(trained.folds, pairs, strict=True)):
            yield [ONE, number, score, trained.auc_u(seen, fold.left), *trained.aurocs(test)]
        held, test = trained.joined(pairs)
        yield [MEAN, "", score, trained.auc_u(held), *trained.aurocs(test)]
    for pooling in POOLED:
        together = maps_of(trained.test, _joined(new), pooling, float(np.mean(leasts)))
        for score, found in together.items():
            yield [f"{ALL}, {pooling}", "", score, np.nan, *trained.aurocs(_mean(found))]
    for grid in GRIDS if floor == 0 else ():
        held, test = regressed(trained, maps, grid)
        yield [MEAN, "", f"r_nu_{grid}", trained.auc_u(held), *trained.aurocs(test)]


def regressed(trained: Trained, maps: Sequence[tuple[Maps, Maps]], grid: int) -> Pair:
    """Return the scores of a regression of unlabeled against normal images on cells of the maps.

    An image of the training is seen by the fold that left it out, and scored by a regression without it.
    """
    rows: np.ndarray = np.zeros((len(trained.pool), len(maps[0][0]) * grid**2))
    new: np.ndarray = np.zeros((len(trained.labels), rows.shape[1]))
    for fold, both in zip(trained.folds, maps, strict=True):
        left, test = (cells_of(list(of.values()), grid).numpy() for of in both)
        centre, scale = standard_of(left[trained.pool[fold.left] == 0])
        rows[fold.left] = (left - centre) / scale
        new += (test - centre) / scale / len(trained.folds)
    held, line = regression(rows, trained.pool, 0, trained.patients)
    return held, new @ line[:-1]


def _mean(maps: Tensor) -> np.ndarray:
    return maps.mean((1, 2)).numpy()


def _joined(some: list[Modules]) -> Modules:
    """Return the networks of all folds as one ensemble."""
    return {name: _together([modules[name] for modules in some]) for name in some[0]}


def _together(modules: list[Reconstruction]) -> Reconstruction:
    variances = [module.log_variance for module in modules if module.log_variance is not None]
    return Reconstruction(torch.cat([module.mean for module in modules]), torch.cat(variances))


def _floor(trained: Trained, number: int, left: Modules, quantile: float) -> float:
    variance = left["ndm"].log_variance
    assert variance is not None
    normal = variance[:, torch.from_numpy(trained.pool[trained.folds[number].left] == 0)]
    return float(np.quantile(normal.exp().mean(0).sqrt().numpy(), quantile)) if quantile else 0.0
