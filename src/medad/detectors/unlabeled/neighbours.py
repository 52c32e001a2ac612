"""Nearest neighbours among the images that a fold's model may look at.

A fold keeps the images that it does *not* look at: each image is kept once, and the others' are its neighbours.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from medad.detectors.contract.division import FoldData
from medad.evaluation.standard import standard_of

NEIGHBOURS = 5


def kept(data: FoldData, rows: np.ndarray) -> dict[str, Tensor]:
    """Return how a fold standardises, as `rows` vary, and descriptors of the images that it leaves out."""
    mean, scale = (torch.from_numpy(part) for part in standard_of(rows))
    held = {"held_normal": data.held_normal, "held_unlabeled": data.held_unlabeled}
    return {"mean": mean, "scale": scale} | {name: torch.from_numpy(np.array(part)) for name, part in held.items()}


def banks_of(models: Sequence[Mapping[str, Tensor]], own: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Return descriptors of the normal and of the unlabeled images with which the fold of model `own` may compare."""
    others = [model for model in models if model is not own]
    normal, unlabeled = (torch.cat([model[name] for model in others]) for name in ("held_normal", "held_unlabeled"))
    return normal, unlabeled


def distances(model: Mapping[str, Tensor], d: Tensor, bank: Tensor) -> Tensor:
    """Return the standardised distances of `d` (n, D) to the five nearest of `bank` (m, D), ascending, float64."""
    x, y = ((part.double() - model["mean"]) / model["scale"] for part in (d, bank))
    found = torch.cdist(x, y, compute_mode="use_mm_for_euclid_dist")  # in double its rounding is no matter
    return found.topk(min(NEIGHBOURS, len(bank)), largest=False).values
