"""Ways to train ASR-Net on the same members, and how well its map tells images apart."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from medad.detectors.ddad.asr_net import ASRNet
from medad.detectors.ddad.ddad import DDAD
from medad.detectors.ddad.ensemble import Ensemble
from medad.detectors.ddad.refinement import inputs_of, refined_from
from medad.experiments.studies.steady.ensembles import WHOLE, Fold, Trained
from medad.experiments.studies.steady.maps import MEAN, ONE, maps_of
from medad.networks.folding import folded
from medad.training.checkpoint import load_networks, load_tensors
from medad.training.job import finished_path
from medad.training.workers import train_phases

NAME = "r_dual"
BRIEF = {"refine": True, "refine_width": 64, "refine_average": 0.999}
VARIANTS: dict[str, dict[str, Any]] = {
    "brief": BRIEF,
    "log": BRIEF | {"refine_log": True},
    "residual": BRIEF | {"refine_log": True, "refine_residual": True},
    "perlin": BRIEF | {"refine_log": True, "synthesis": "perlin"},
    "mixed": BRIEF | {"refine_log": True, "synthesis": "mixed"},
}
COLUMNS = ("variant", "form", "fold", "score", "auc_u", "auroc", "auroc_deduplicated")


def figures_of_refiners(trained: Trained, variants: Sequence[str] = tuple(VARIANTS)) -> Iterator[list[object]]:
    """Yield, below `COLUMNS`, the figures of R_dual for some ways to train it, on averages of the members' weights."""
    for variant in variants:
        changes, pairs = VARIANTS[variant], []
        for number, fold in enumerate(trained.folds):
            network, options = _refiner(fold, variant, changes)
            left, test = (_scores(network, fold, x, options) for x in (trained.images[fold.left], trained.test))
            pairs.append((left, test))
            yield _row(variant, ONE, number, trained.auc_u(left, fold.left), trained.aurocs(test))
        held, test = trained.joined(pairs)
        yield _row(variant, MEAN, "", trained.auc_u(held), trained.aurocs(test))


def _row(variant: str, form: str, fold: object, auc_u: float, aurocs: tuple[float, float]) -> list[object]:
    return [variant, form, fold, NAME, *(f"{figure:.6f}" for figure in (auc_u, *aurocs))]


def _refiner(fold: Fold, variant: str, changes: dict[str, Any]) -> tuple[ASRNet, Any]:
    """Train ASR-Net, in a folder of its own in which the members lie finished."""
    plan = fold.learned.with_options(replace(fold.learned.options, **changes))
    plan = replace(plan, folder=plan.folder / variant)
    plan.folder.mkdir(exist_ok=True)
    ensemble = Ensemble(plan.options, True)
    for name in ensemble.members:
        if not plan.finished(name).exists():
            os.link(fold.learned.finished(name), plan.finished(name))
    spec = DDAD(plan.options, seed=fold.detector.seed, device="cpu").refiner(plan, NAME, ensemble)
    train_phases([spec], plan.folder, fold.detector.jobs, f"ASR-Net, {variant}")
    network = ASRNet(len(inputs_of(NAME, plan.options)), plan.options.refine_width)
    load_networks({NAME: network}, load_tensors(finished_path(plan.folder, NAME))[0])
    return cast(ASRNet, folded(network)), plan.options


@torch.inference_mode()
def _scores(network: ASRNet, fold: Fold, x: Tensor, options: Any) -> np.ndarray:
    maps = maps_of(x, fold.outputs(x, WHOLE, "average"), "mean", 0.0)
    seen = refined_from(maps, NAME, options).contiguous(memory_format=torch.channels_last)
    return network.refine(seen).mean((1, 2)).numpy()
