"""Which images teacher and students learn from, and what an extractor says of patches."""

import numpy as np
import torch
from sklearn.model_selection import GroupShuffleSplit
from torch import Tensor
from torch.nn import functional as F

from medad.detectors.contract.plan import Plan
from medad.detectors.features.extractors.registry import for_scoring, read_extractor
from medad.detectors.features.student_moments import standardised
from medad.evaluation.units import units
from medad.training.checkpoint import load_tensors
from medad.training.seeds import derive_seed

KEPT_BACK = 0.1  # of the normal images
VIEW = 64  # pixels a side of what an extractor sees of a patch
MOST_NUMBERS = 512  # of a target, as the paper's ResNet-18 has
LIMIT = 5.0  # deviations from the mean: numbers that are nearly always 0 would else be all that a teacher learns


def learned_and_kept_back(plan: Plan) -> tuple[Tensor, Tensor]:
    """Return the numbers of the normal images learned from, and of those kept back for the scores' moments.

    A tenth is kept back, at least one; patients stay together where there are at least two.
    """
    count, patients = plan.data.counts[0], plan.data.patients
    names = units(patients[:count]) if patients else np.arange(count)
    groups = names if len(set(names)) > 1 else np.arange(count)
    split = GroupShuffleSplit(1, test_size=KEPT_BACK, random_state=derive_seed(plan.seed, "kept back") % 2**32)
    learned, kept = next(split.split(groups, groups=groups))
    return torch.from_numpy(np.sort(learned)), torch.from_numpy(np.sort(kept))


def teachers_images(plan: Plan) -> Tensor:
    """Return the numbers of the images a teacher learns from: the normal ones not kept back, and all unlabeled ones."""
    return torch.cat([learned_and_kept_back(plan)[0], torch.arange(plan.data.counts[0], plan.count)])


class Describer:
    """What the extractor that the options name says of patches."""

    def __init__(self, plan: Plan) -> None:
        read = read_extractor(plan.options.extractor, plan.options.weights)
        self.extractor = for_scoring(read).to(plan.device)

    @torch.no_grad()
    def __call__(self, patches: Tensor) -> Tensor:
        """Return (n, D) for patches (n, C, p, p)."""
        views = F.interpolate(patches, (VIEW, VIEW), mode="bilinear", align_corners=False)
        return self.extractor.describe(self.extractor(views)).float()

    def numbers(self, channels: int) -> int:
        """Return D."""
        device = next(self.extractor.parameters(), torch.zeros(())).device
        return self(torch.zeros(1, channels, VIEW, VIEW, device=device)).shape[1]


class Target(Describer):
    """The same, standardised by what an earlier fit has found, within 5 deviations, and of at most 512 numbers.

    More are mixed at random into so many, each of about unit variance still.
    """

    def __init__(self, plan: Plan, fit: str) -> None:
        super().__init__(plan)
        self.moments = read_moments(plan, fit)
        self.size = min(numbers := len(self.moments["mean"]), MOST_NUMBERS)
        generator = torch.Generator().manual_seed(derive_seed(plan.seed, "projection"))
        mixing = torch.randn(numbers, self.size, generator=generator) / numbers**0.5
        self.mixing = None if numbers <= MOST_NUMBERS else mixing.to(plan.device)

    def __call__(self, patches: Tensor) -> Tensor:
        """Return (n, at most 512) for patches (n, C, p, p)."""
        found = standardised(super().__call__(patches), self.moments).clamp(-LIMIT, LIMIT)
        return found if self.mixing is None else found @ self.mixing


def read_moments(plan: Plan, fit: str) -> dict[str, Tensor]:
    """Return what the moments' fit `fit` of an earlier stage has left."""
    found, _ = load_tensors(plan.finished(fit))
    return {name: found[f"{fit}/{name}"].to(plan.device) for name in ("mean", "deviation")}
