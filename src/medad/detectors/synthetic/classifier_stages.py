"""The phase in which a classifier learns, and the fit of the Gaussian of its descriptors."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from medad.detectors.contract.one_network import network_phase
from medad.detectors.contract.plan import Plan
from medad.detectors.features.density import learn_density
from medad.detectors.synthetic.classifier import PatchClassifier, classification_loss
from medad.detectors.synthetic.encoders import pretrained_state
from medad.networks.folding import folded
from medad.training.checkpoint import load_networks, load_tensors
from medad.training.fit import Fit
from medad.training.phase import Chunk, Phase, set_lr, sgd
from medad.training.pixels import Pixels
from medad.training.spec import Recipe

DENSITY = "density"  # the fit, and its score

Samples = Callable[[Pixels, Tensor], Chunk]


def classifier_phase(
    plan: Plan, recipe: Recipe, name: str, make: Callable[[], PatchClassifier], samples: Callable[[], Samples]
) -> Phase:
    """Return the phase that trains the classifier `name`.

    Parameters
    ----------
    plan, recipe
        As for every phase.
    name : str
        Of the network.
    make : callable
        Makes it, untrained.
    samples : callable
        See :meth:`medad.detectors.synthetic.patch_classifier.PatchClassifierDetector.samples`.
    """
    o = plan.options

    def begun() -> PatchClassifier:
        network = make()
        if o.encoder != "scratch":
            network.encoder.load_state_dict(pretrained_state(o.encoder, o.weights), strict=False)
        return network

    def objective(network: nn.Module) -> Callable[..., Tensor]:
        return partial(classification_loss, network)

    return network_phase(plan, recipe, name, begun, samples(), objective, _optimise, partial(_schedule, o))


def density_fit(plan: Plan, recipe: Recipe, name: str, make: Callable[[], PatchClassifier]) -> Fit:
    """Return the fit of the Gaussian of what the trained classifier `name` makes of the images as they are."""
    images, network = plan.images(), make()
    load_networks({name: network}, load_tensors(plan.finished(name))[0])
    frozen = folded(network).to(plan.device)
    rows = torch.zeros(plan.count, network.length, device=plan.device)

    def update(index: Tensor) -> None:
        rows[index] = frozen(images(index))[0]

    def finish(found: dict[str, Tensor]) -> dict[str, Tensor]:
        return learn_density(found["rows"].cpu().numpy())

    return Fit(DENSITY, {"rows": rows}, update, finish)


def _optimise(options: Any, network: nn.Module) -> Optimizer:
    classifier = cast(PatchClassifier, network)
    return sgd([classifier.encoder, classifier.head], options.lr, options.momentum, options.weight_decay)


def _schedule(options: Any, optimiser: Optimizer, recipe: Recipe) -> Callable[[int], None]:
    """Return what lets the learning rate fall along a cosine, and keeps a pretrained encoder as it is for a while."""
    frozen = 0 if options.encoder == "scratch" else options.frozen_steps

    def before_step(number: int) -> None:
        set_lr(optimiser, options.lr * 0.5 * (1 + math.cos(math.pi * number / recipe.total_steps)))
        if number < frozen:
            set_lr(optimiser, 0.0, slice(1))

    return before_step
