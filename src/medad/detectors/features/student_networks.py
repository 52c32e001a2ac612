"""Teacher and students by name, and the maps that they make together."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from medad.detectors.contract.plan import Plan
from medad.detectors.features.student_losses import error_and_disagreement
from medad.detectors.features.student_moments import standardised
from medad.networks.folding import folded
from medad.networks.patch_network import PatchNetwork, padded
from medad.training.checkpoint import load_networks, load_tensors

STUDENTS = 3


def teacher(patch: int) -> str:
    """Return the name of the teacher, and of its phase."""
    return f"teacher_{patch}"


def students(patch: int) -> list[str]:
    """Return the names of the students, and of their phases."""
    return [f"student_{patch}_{i + 1}" for i in range(STUDENTS)]


def make_patch_network(options: Any, patch: int) -> PatchNetwork:
    """Return an untrained teacher or student."""
    return PatchNetwork(patch, options.channels, options.width)


def frozen(plan: Plan, name: str, patch: int) -> PatchNetwork:
    """Return a network that an earlier stage has trained."""
    network = make_patch_network(plan.options, patch)
    load_networks({name: network}, load_tensors(plan.finished(name))[0])
    found = folded(network).to(plan.device)
    assert isinstance(found, PatchNetwork)
    return found


def raw_maps(
    networks: Mapping[str, nn.Module], moments: Mapping[str, Tensor], x: Tensor, patch: int, stride: int
) -> tuple[Tensor, Tensor]:
    """Return error and disagreement of images (n, C, S, S) at every `stride`-th pixel, (n, S / stride, S / stride)."""
    around = padded(x, patch, stride)
    target = standardised(networks[teacher(patch)](around, stride), moments)
    return error_and_disagreement(
        torch.stack([networks[name](around, stride).float() for name in students(patch)]), target
    )


def enlarged(x: Tensor, size: int) -> Tensor:
    """Return maps (n, h, w) as (n, size, size), bilinearly."""
    return x if x.shape[-1] == size else F.interpolate(x[:, None], size, mode="bilinear")[:, 0]
