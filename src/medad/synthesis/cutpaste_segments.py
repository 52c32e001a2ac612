"""CutPaste as segmentation: a patch of the image itself, with hard edges (Li et al., CVPR 2021; code of NSA)."""

from typing import Any

import torch
from torch import Tensor

from medad.synthesis.boxes import Boxes, inside, move
from medad.synthesis.contract import Made, Synthesiser
from medad.synthesis.cutpaste import random_starts, sides_of
from medad.synthesis.labels import labelled
from medad.synthesis.patches import PatchSampler

NARROWEST, WIDEST = 0.3, 3.3  # aspects, on either side of 1 as often


def make_cutpaste_segments(label: str = "binary", anywhere: bool = False, **settings: Any) -> Synthesiser:
    """Return the synthesis of CutPaste, end to end, in the comparison of DDAD: patches move to another place.

    The sources are the images themselves; others give the variant that uses unlabeled images.

    Differs from the paper, which learns to tell changed images, not pixels, from normal ones, and which draws patches
    as `anywhere` does.

    Parameters
    ----------
    label : str
        One of :data:`medad.synthesis.labels.KINDS`, but ``"continuous"``: nothing is blended.
    anywhere : bool
        Whether an image has one patch, of 2 to 15 % of its area and an aspect of up to 3.3, that comes from and goes
        to any place; by default there are up to three, which fit the objects.
    **settings
        Of :class:`medad.synthesis.patches.PatchSampler`, beside shift.
    """
    sampler = PatchSampler(shift=True, **settings)

    def cutpaste(images: Tensor, sources: Tensor) -> Made:
        pasted, masks = _anywhere(images, sources) if anywhere else sampler.paste(images, sources, _over)
        return labelled(label, images, pasted, masks)

    return cutpaste


def _over(images: Tensor, pasted: Tensor, where: Tensor) -> Tensor:
    return torch.where(where[:, None], pasted, images)


def _anywhere(images: Tensor, sources: Tensor) -> tuple[Tensor, Tensor]:
    """Return images with a patch of the sources each, and where it lies."""
    size, (wide, u) = images.shape[-1], torch.rand(2, len(images), device=images.device)
    aspect = torch.where(wide < 0.5, NARROWEST + (1 - NARROWEST) * u, 1 + (WIDEST - 1) * u)
    sides = sides_of(aspect, size)
    box, place = (Boxes(random_starts(sides, size), sides) for _ in range(2))
    where = inside(place, size)
    return _over(images, move(sources, box, place), where), where
