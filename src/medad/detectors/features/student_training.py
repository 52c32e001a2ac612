"""Training of teachers and students: a phase of each for every side of a patch."""

import torch
from torch import Tensor, nn

from medad.detectors.contract.plan import Plan
from medad.detectors.features.student_data import Target, learned_and_kept_back, read_moments, teachers_images
from medad.detectors.features.student_fits import outputs, targets
from medad.detectors.features.student_losses import compactness_loss, knowledge_loss, metric_loss
from medad.detectors.features.student_moments import standardised
from medad.detectors.features.student_networks import frozen, make_patch_network, teacher
from medad.detectors.features.student_patches import places_of, random_patches
from medad.training.phase import Chunk, Phase, adam, for_training, gradient_step
from medad.training.spec import Recipe

BETAS = (0.9, 0.999)


def teacher_phase(plan: Plan, recipe: Recipe, patch: int) -> Phase:
    """Return the phase that trains the teacher, with a decoder where it learns from an extractor."""
    o, images, rows = plan.options, plan.images(), teachers_images(plan).to(plan.device)
    name, distils = teacher(patch), o.teacher == "distillation"
    target = Target(plan, targets(patch)) if distils else None
    last = nn.Linear(o.width, target.size) if target else nn.Identity()
    network = nn.ModuleDict({"network": make_patch_network(o, patch), "decoder": last})
    for_training({name: network}, plan.device)
    optimiser = adam(network, o.teacher_lr, o.teacher_weight_decay, BETAS)

    def draw(index: Tensor) -> Chunk:
        patches = random_patches(images(rows[index]), patch, alike=target is None)
        return (*patches, target(*patches)) if target else patches

    def loss(patches: Tensor, other: Tensor) -> Tensor:
        return teacher_loss(network["network"], network["decoder"] if distils else None, patches, other)

    def step(batch: Chunk) -> Tensor:
        return gradient_step(optimiser, lambda: loss(*batch), plan.precision)

    networks: dict[str, nn.Module] = {name: network["network"], f"{name}_decoder": last}
    return Phase(networks, {name: optimiser}, draw, step)


def teacher_loss(network: nn.Module, decoder: nn.Module | None, patches: Tensor, other: Tensor) -> Tensor:
    """Return L_k + L_c with a decoder, L_m + L_c without.

    Parameters
    ----------
    network, decoder : Module
        T and D.
    patches : Tensor
        (n, C, p, p), each of an image of its own.
    other : Tensor
        With a decoder the targets (n, k), otherwise patches that are alike, (n, C, p, p).
    """
    found = network(patches).flatten(1)
    if decoder is not None:
        return knowledge_loss(decoder(found), other) + compactness_loss(found)
    alike = network(other).flatten(1)
    return metric_loss(found, alike, found.roll(1, 0)) + compactness_loss(found)


def student_phase(plan: Plan, recipe: Recipe, patch: int, name: str) -> Phase:
    """Return the phase that trains a student to say what the frozen teacher says, standardised."""
    o, images, rows = plan.options, plan.images(), learned_and_kept_back(plan)[0].to(plan.device)
    fixed, moments = frozen(plan, teacher(patch), patch), read_moments(plan, outputs(patch))
    network = make_patch_network(o, patch)
    for_training({name: network}, plan.device)
    optimiser = adam(network, o.student_lr, o.student_weight_decay, BETAS)
    stride = network.spacing if o.places else 1

    def draw(index: Tensor) -> Chunk:
        x, spacing = places_of(network, images(rows[index]), o.places)
        with torch.no_grad():
            return x, standardised(fixed(x, spacing), moments)

    def step(batch: Chunk) -> Tensor:
        x, target = batch
        return gradient_step(optimiser, lambda: student_loss(network(x, stride), target), plan.precision)

    return Phase({name: network}, {name: optimiser}, draw, step)


def student_loss(student: Tensor, target: Tensor) -> Tensor:
    """Return the squared distance of descriptors (n, k, h, w) from the standardised teacher's, mean over places."""
    return (student.float() - target).square().sum(1).mean()
