"""CutPaste as segmentation: a patch of the image itself, with hard edges (Li et al., CVPR 2021; code of NSA)."""

from typing import Any

import torch
from torch import Tensor

from medad.synthesis.contract import Made, Synthesiser
from medad.synthesis.labels import labelled
from medad.synthesis.patches import PatchSampler


def make_cutpaste_segments(label: str = "binary", **settings: Any) -> Synthesiser:
    """Return the synthesis of CutPaste, end to end, in the comparison of DDAD: patches move to another place.

    The sources are the images themselves; others give the variant that uses unlabeled images.

    Differs from the paper, which learns to tell changed images, not pixels, from normal ones, and which draws patches
    of an area from U(0.02, 0.15) and an aspect of up to 3.3, wherever they fall.

    Parameters
    ----------
    label : str
        One of :data:`medad.synthesis.labels.KINDS`, but ``"continuous"``: nothing is blended.
    **settings
        Of :class:`medad.synthesis.patches.PatchSampler`, beside shift.
    """
    sampler = PatchSampler(shift=True, **settings)

    def cutpaste(images: Tensor, sources: Tensor) -> Made:
        pasted, masks = sampler.paste(images, sources, lambda under, over, m: torch.where(m[:, None], over, under))
        return labelled(label, images, pasted, masks)

    return cutpaste
