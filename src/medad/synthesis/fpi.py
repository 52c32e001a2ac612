"""Foreign patch interpolation (FPI; Tan et al. 2020)."""

from typing import Any

import torch
from torch import Tensor

from medad.synthesis.contract import Made, Synthesiser
from medad.synthesis.labels import blend_factors, labelled
from medad.synthesis.patches import PatchSampler


def make_fpi(label: str = "continuous", **settings: Any) -> Synthesiser:
    """Return FPI as the code of NSA, DDAD's comparison and MedIAnomaly have it: x_s = (1 - a) x + a x_f in patches.

    The patches stay in their place; the factor a, one per image, is from U(0.05, 0.95).

    Differs from the paper, which pastes one square into every image, wherever it falls:
    :func:`medad.synthesis.foreign_squares.foreign_squares` does so.

    Parameters
    ----------
    label : str
        One of :data:`medad.synthesis.labels.KINDS`; continuous says a.
    **settings
        Of :class:`medad.synthesis.patches.PatchSampler`.
    """
    sampler = PatchSampler(**settings)

    def fpi(images: Tensor, sources: Tensor) -> Made:
        factors = blend_factors(images)

        def blend(under: Tensor, over: Tensor, masks: Tensor) -> Tensor:
            return torch.where(masks[:, None], torch.lerp(under, over, factors), under)

        blended, masks = sampler.paste(images, sources, blend)
        return labelled(label, images, blended, masks, factors)

    return fpi
