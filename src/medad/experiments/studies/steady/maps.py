"""Ways to make maps of what the members reconstruct, and how well the maps tell images apart."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import Tensor

from medad.detectors.ddad.discrepancy import together
from medad.detectors.ddad.map_regression import cells_of, regressions
from medad.experiments.studies.steady.ensembles import WEIGHTS, Modules, Pair, Trained
from medad.networks.autoencoder import Reconstruction

FLOORS = (0.0, 0.05, 0.25, 0.5)  # of sigma: quantiles of that of all pixels of left-out normal images
GRIDS = (1, 2, 4, 8)  # cells along a side of the maps on which R_nu is a regression
POOLED = {"mean": lambda x: x.mean(0), "median": lambda x: x.median(0).values}  # over members
# What the folds make of a test image: one of them alone, the mean of their scores, or all networks as one ensemble.
ONE, MEAN, ALL = "one fold", "mean of folds", "all networks"
FEWER = "mean of folds, one network each"  # of every module
COLUMNS = ("length", "weights", "form", "fold", "floor", "score", "auc_u", "auroc", "auroc_deduplicated")

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
    maps = _maps_of_folds(trained, left, new, leasts)
    for score in maps[0][0]:
        pairs = _pairs(maps, score)
        for number, (fold, (seen, test)) in enumerate(zip(trained.folds, pairs, strict=True)):
            yield [ONE, number, score, trained.auc_u(seen, fold.left), *trained.aurocs(test)]
        yield [MEAN, "", score, *_judged(trained, pairs)]
    fewer = _maps_of_folds(trained, _firsts(left), _firsts(new), leasts)
    for score in ("a_rec", "a_inter"):
        yield [FEWER, "", score, *_judged(trained, _pairs(fewer, score))]
    by_all = {pooling: maps_of(trained.test, _joined(new), pooling, float(np.mean(leasts))) for pooling in POOLED}
    for pooling, found in by_all.items():
        for score, value in found.items():
            yield [f"{ALL}, {pooling}", "", score, np.nan, *trained.aurocs(_mean(value))]
    for grid in GRIDS if floor == 0 else ():
        pairs, whole = regressed(trained, maps, by_all["mean"], grid)
        yield [MEAN, "", f"r_nu_{grid}", *_judged(trained, pairs)]
        yield [f"{ALL}, mean", "", f"r_nu_{grid}", np.nan, *trained.aurocs(whole)]


def _maps_of_folds(
    trained: Trained, left: Sequence[Modules], new: Sequence[Modules], leasts: Sequence[float]
) -> list[tuple[Maps, Maps]]:
    """Return the maps by each fold of the images that it left out, and of test images."""
    return [
        (maps_of(trained.images[fold.left], one, "mean", least), maps_of(trained.test, other, "mean", least))
        for fold, one, other, least in zip(trained.folds, left, new, leasts, strict=True)
    ]


def _pairs(maps: Sequence[tuple[Maps, Maps]], score: str) -> list[Pair]:
    return [(_mean(left[score]), _mean(new[score])) for left, new in maps]


def _judged(trained: Trained, pairs: Sequence[Pair]) -> tuple[float, float, float]:
    """Return AUC_u and the AUROCs of test images of scores by all folds."""
    held, test = trained.joined(pairs)
    return trained.auc_u(held), *trained.aurocs(test)


def _firsts(some: Sequence[Modules]) -> list[Modules]:
    """Return the first network of each module alone."""
    return [{name: _sliced(module) for name, module in modules.items()} for modules in some]


def _sliced(module: Reconstruction) -> Reconstruction:
    assert module.log_variance is not None
    return Reconstruction(module.mean[:1], module.log_variance[:1])


def regressed(
    trained: Trained, maps: Sequence[tuple[Maps, Maps]], by_all: Maps, grid: int
) -> tuple[list[Pair], np.ndarray]:
    """Return scores of regressions of unlabeled against normal images on cells of the maps, by each fold and by all.

    An image of the training is seen by the fold that left it out, and scored by a regression without it. `by_all`
    are the maps of test images by all networks.
    """
    cells = [[cells_of(list(of.values()), grid).numpy() for of in both] for both in maps]
    rows: np.ndarray = np.zeros((len(trained.pool), len(maps[0][0]) * grid**2))
    number: np.ndarray = np.zeros(len(rows), np.int64)
    for k, (fold, (left, _)) in enumerate(zip(trained.folds, cells, strict=True)):
        rows[fold.left], number[fold.left] = left, k
    centres, scales, weights = regressions(rows, trained.pool, number, trained.groups, 0)
    lines = weights / scales
    pairs: list[Pair] = [
        ((left - centre) @ line, (new - centre) @ line)
        for (left, new), centre, line in zip(cells, centres, lines, strict=True)
    ]
    return pairs, cells_of(list(by_all.values()), grid).numpy() @ lines.mean(0)


def _mean(maps: Tensor) -> np.ndarray:
    return maps.mean((1, 2)).numpy()


def _joined(some: list[Modules]) -> Modules:
    """Return the networks of all folds as one ensemble."""
    return {name: together([modules[name] for modules in some]) for name in some[0]}


def _floor(trained: Trained, number: int, left: Modules, quantile: float) -> float:
    variance = left["ndm"].log_variance
    assert variance is not None
    normal = variance[:, torch.from_numpy(trained.pool[trained.folds[number].left] == 0)]
    return float(np.quantile(normal.exp().mean(0).sqrt().numpy(), quantile)) if quantile else 0.0
