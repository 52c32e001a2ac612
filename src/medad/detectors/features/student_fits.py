"""The fits between the stages of teacher and students: means and deviations to standardise by."""

import torch
from torch import Tensor

from medad.detectors.contract.plan import Plan
from medad.detectors.features.student_data import (
    Describer,
    learned_and_kept_back,
    read_moments,
    teachers_images,
)
from medad.detectors.features.student_moments import moments_fit
from medad.detectors.features.student_networks import frozen, raw_maps, students, teacher
from medad.detectors.features.student_patches import places_of, random_patches
from medad.training.fit import Fit
from medad.training.spec import Recipe


def targets(patch: int) -> str:
    """Return the name of the fit of the moments of the extractor's descriptors."""
    return f"target_{patch}"


def outputs(patch: int) -> str:
    """Return the name of the fit of the moments of the teacher's descriptors."""
    return f"outputs_{patch}"


def scores(patch: int) -> str:
    """Return the name of the fit of the moments of error and disagreement."""
    return f"scores_{patch}"


def targets_fit(plan: Plan, recipe: Recipe, patch: int) -> Fit:
    """Return the fit of the moments of what the extractor says of a random patch of each image."""
    images, rows, describe = plan.images(), teachers_images(plan).to(plan.device), Describer(plan)

    def values(index: Tensor) -> Tensor:
        return describe(*random_patches(images(rows[index]), patch))

    return moments_fit(targets(patch), describe.numbers(plan.options.channels), images.device, values)


def outputs_fit(plan: Plan, recipe: Recipe, patch: int) -> Fit:
    """Return the fit of the moments of the teacher's descriptors of the places that students learn from."""
    o, images, rows = plan.options, plan.images(), learned_and_kept_back(plan)[0].to(plan.device)
    network = frozen(plan, teacher(patch), patch)

    def values(index: Tensor) -> Tensor:
        return network(*places_of(network, images(rows[index]), o.places)).movedim(1, 3).flatten(0, 2)

    return moments_fit(outputs(patch), o.width, images.device, values)


def scores_fit(plan: Plan, recipe: Recipe, patch: int) -> Fit:
    """Return the fit of the moments of error and disagreement at the pixels of the images kept back."""
    images, rows = plan.images(), learned_and_kept_back(plan)[1].to(plan.device)
    networks = {name: frozen(plan, name, patch) for name in (teacher(patch), *students(patch))}
    moments = read_moments(plan, outputs(patch))

    def values(index: Tensor) -> Tensor:
        found = raw_maps(networks, moments, images(rows[index]), patch, plan.options.stride)
        return torch.stack([part.flatten() for part in found], 1)

    return moments_fit(scores(patch), 2, images.device, values)
