"""Poisson image interpolation (PII; Tan et al., MICCAI 2021)."""

from functools import partial
from typing import Any

from torch import Tensor

from medad.synthesis.contract import Made, Synthesiser
from medad.synthesis.labels import blend_factors, labelled
from medad.synthesis.patches import PatchSampler
from medad.synthesis.poisson import interpolated_gradients, poisson_blend


def make_pii(label: str = "continuous", **settings: Any) -> Synthesiser:
    """Return PII: gradients of patches of another image, a g_s, mixed with (1 - a) g_d; patches stay in their place.

    Differs from the paper, which changes one square of every image, wherever it falls, and from the code of NSA, DDAD's
    comparison and MedIAnomaly, of which the patches are, but which interpolates between g_d and the larger of g_d
    and g_s.

    Parameters
    ----------
    label : str
        One of :data:`medad.synthesis.labels.KINDS`; continuous says a, one per image, from U(0.05, 0.95).
    **settings
        Of :class:`medad.synthesis.patches.PatchSampler`.
    """
    sampler = PatchSampler(**settings)

    def pii(images: Tensor, sources: Tensor) -> Made:
        factors = blend_factors(images)
        blend = partial(poisson_blend, guidance=interpolated_gradients(factors))
        blended, masks = sampler.paste(images, sources, blend)
        return labelled(label, images, blended, masks, factors)

    return pii
