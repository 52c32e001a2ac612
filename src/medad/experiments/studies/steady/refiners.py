"""Ways to train ASR-Net on the same members, and how well its map tells images apart."""

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from medad.detectors.ddad.asr_net import ASRNet
from medad.detectors.ddad.ddad import DDAD
from medad.detectors.ddad.refinement import inputs_of, refined_from
from medad.experiments.studies.steady.ensembles import Modules, Trained
from medad.experiments.studies.steady.maps import maps_of
from medad.networks.folding import folded
from medad.training.checkpoint import load_networks, load_tensors
from medad.training.job import finished_path
from medad.training.workers import train_phases

NAME = "r_dual"
BRIEF = {"refine": True, "refine_width": 64, "refine_epochs": 20, "refine_average": 0.999}
VARIANTS: dict[str, dict[str, Any]] = {
    "brief": BRIEF,
    "log": BRIEF | {"refine_log": True},
    "residual": BRIEF | {"refine_log": True, "refine_residual": True},
    "mixed": BRIEF | {"refine_log": True, "synthesis": "mixed"},
    "perlin": BRIEF | {"refine_log": True, "synthesis": "perlin"},
}
COLUMNS = ("variant", "score", "auc_u", "auroc", "auroc_deduplicated")


def figures_of_refiners(trained: Trained) -> Iterator[list[object]]:
    """Yield, below `COLUMNS`, the figures of R_dual for every way to train it, on averages of the members' weights."""
    outputs = trained.outputs(trained.lengths[-1], "average")
    for variant, changes in VARIANTS.items():
        network, options = _refiner(trained, variant, changes)
        pairs = zip(trained.parts, outputs, strict=True)
        normal, unlabeled, test = (_scores(network, x, modules, options) for x, modules in pairs)
        figures = trained.figures(np.concatenate([normal, unlabeled]), test)
        yield [variant, NAME, *(f"{figure:.6f}" for figure in figures)]


def _refiner(trained: Trained, variant: str, changes: dict[str, Any]) -> tuple[ASRNet, Any]:
    """Train ASR-Net, in a folder of its own in which the members lie finished."""
    plan = trained.learned.with_options(replace(trained.learned.options, **changes))
    plan = replace(plan, folder=plan.folder / variant)
    plan.folder.mkdir(exist_ok=True)
    for name in (n for module in trained.detector.modules(True) for n in trained.detector.members(module)):
        if not plan.finished(name).exists():
            os.link(trained.learned.finished(name), plan.finished(name))
    spec = DDAD(plan.options, seed=trained.detector.seed, device="cpu").refiner(plan, NAME)
    train_phases([spec], plan.folder, trained.detector.jobs, f"ASR-Net, {variant}")
    network = ASRNet(len(inputs_of(NAME, plan.options)), plan.options.refine_width)
    load_networks({NAME: network}, load_tensors(finished_path(plan.folder, NAME))[0])
    return cast(ASRNet, folded(network)), plan.options


@torch.inference_mode()
def _scores(network: ASRNet, x: Tensor, modules: Modules, options: Any) -> np.ndarray:
    seen: Tensor = refined_from(maps_of(x, modules, "mean", 0.0), NAME, options)
    return network.refine(seen.contiguous(memory_format=torch.channels_last)).mean((1, 2)).numpy()
