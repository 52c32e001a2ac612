"""Natural synthetic anomalies (NSA; Schlueter et al., ECCV 2022)."""

from typing import Any

from torch import Tensor

from medad.synthesis.contract import Made, Synthesiser
from medad.synthesis.labels import labelled
from medad.synthesis.patches import PatchSampler
from medad.synthesis.poisson import poisson_blend


def make_nsa(label: str = "logistic", **settings: Any) -> Synthesiser:
    """Return NSA with the settings for medical images: patches of another image, scaled, moved, with mixed gradients.

    Differs from the authors' code: what is background in both images is not changed (there it is, but has no label);
    the mixed gradient is chosen for each pair of neighbours (OpenCV: for each pixel).

    Parameters
    ----------
    label : str
        One of :data:`medad.synthesis.labels.KINDS`, but ``"continuous"``: there is no blend factor.
    **settings
        Of :class:`medad.synthesis.patches.PatchSampler`, beside resize and shift.
    """
    sampler = PatchSampler(resize=True, shift=True, **settings)

    def nsa(images: Tensor, sources: Tensor) -> Made:
        blended, masks = sampler.paste(images, sources, poisson_blend)
        return labelled(label, images, blended, masks)

    return nsa
