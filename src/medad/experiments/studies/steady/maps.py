"""Ways to make maps of what the members reconstruct, and how well the maps tell images apart."""

from collections.abc import Iterator
from itertools import product

import numpy as np
from torch import Tensor

from medad.detectors.ddad.map_regression import cells_of, regression
from medad.experiments.studies.steady.ensembles import WEIGHTS, Modules, Trained
from medad.networks.autoencoder import Reconstruction

POOLED = {"mean": lambda x: x.mean(0), "median": lambda x: x.median(0).values}  # over members
FLOORS = (0.0, 0.05, 0.25, 0.5)  # of sigma: quantiles of that of all pixels of held-out normal images
GRIDS = (1, 2, 4, 8)  # cells along a side of the maps on which R_nu is a regression
USUAL = ("mean", 0.0)  # pooling and floor of the maps on which R_nu is a regression
COLUMNS = (
    *("epochs", "members", "ensemble", "weights", "pooling", "floor", "score"),
    *("auc_u", "auroc", "auroc_deduplicated"),
)


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
    for length, weights in product(trained.lengths, WEIGHTS):
        outputs = trained.outputs(length, weights)
        for ensemble, members in enumerate(ensembles_of(trained.detector.options.ensemble_size)):
            some = [{name: _chosen(module, members) for name, module in modules.items()} for modules in outputs]
            for pooling, floor in product(POOLED, FLOORS):
                for name, pair in _scores(trained, some, pooling, floor).items():
                    way = [length, len(members), ensemble, weights, pooling, floor, name]
                    yield [*way, *(f"{figure:.6f}" for figure in trained.figures(*pair))]


def ensembles_of(size: int) -> list[range]:
    """Return which members are looked at together: all and, where they are enough and even, either half of them."""
    half = size // 2
    halves = [range(half), range(half, size)] if size % 2 == 0 and half > 1 else []
    return [range(size), *halves]


def _chosen(module: Reconstruction, members: range) -> Reconstruction:
    assert module.log_variance is not None
    part = slice(members.start, members.stop)
    return Reconstruction(module.mean[part], module.log_variance[part])


def _scores(
    trained: Trained, outputs: list[Modules], pooling: str, floor: float
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return every score of held-out and of test images."""
    least = _floor(outputs[0], pooling, floor)
    maps = [maps_of(x, modules, pooling, least) for x, modules in zip(trained.parts, outputs, strict=True)]
    scores = {name: [one[name].mean((1, 2)).numpy() for one in maps] for name in maps[0]}
    pairs = {name: (np.concatenate(some[:2]), some[2]) for name, some in scores.items()}
    for grid in GRIDS if (pooling, floor) == USUAL else ():
        *held_out, rows = (cells_of(list(one.values()), grid).numpy() for one in maps)
        held, line = regression(np.concatenate(held_out), trained.pools, 0, None)
        pairs[f"r_nu_{grid}"] = held, rows @ line[:-1]
    return pairs


def _floor(normal: Modules, pooling: str, quantile: float) -> float:
    variance = normal["ndm"].log_variance
    assert variance is not None
    return float(np.quantile(POOLED[pooling](variance.exp()).sqrt().numpy(), quantile)) if quantile else 0.0
