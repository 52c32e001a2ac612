"""The synthetic anomalies on which ASR-Net learns."""

import torch
from torch import Tensor

from medad.synthesis.contract import Made, Synthesiser
from medad.synthesis.registry import SYNTHESES as KNOWN
from medad.synthesis.registry import make_synthesis
from medad.synthesis.sources import other_indices
from medad.training.pixels import Pixels

PUBLISHED = "fpi"  # squares of another image, as in the official code
MIXED = "mixed"  # of each image one of the others
SYNTHESES = (PUBLISHED, "pii", "nsa", "cutpaste", "perlin", MIXED)
LEAVE_SOME = ("asr", "perlin")  # leave images clean of their own accord


def with_anomalies(name: str, share: float, images: Pixels, index: Tensor) -> Made:
    """Return the images at `index`, anomalies made in some of them, and where: labels are 0 and 1.

    Randomness comes from torch's default generator on the images' device.

    Parameters
    ----------
    name : str
        One of `SYNTHESES`; what comes from another image comes from any other of `images`.
    share : float
        Of the images that are changed.
    images : callable
        Gives the normal images at indices.
    index : Tensor
        (n,).
    """
    if name == MIXED:
        return _mixed(share, images, index)
    x, name = images(index), "asr" if name == PUBLISHED else name
    sources = images(other_indices(index, len(images))) if KNOWN[name].foreign else x
    if name in LEAVE_SOME:
        return make_synthesis(name, share=share)(x, sources)
    return _some(make_synthesis(name, "binary"), share, x, sources)


def _mixed(share: float, images: Pixels, index: Tensor) -> Made:
    kinds = [name for name in SYNTHESES if name != MIXED]
    kind = torch.randint(len(kinds), index.shape, device=index.device)
    x = images(index)
    labels = torch.zeros_like(x[:, 0])
    for number, name in enumerate(kinds):
        rows = (kind == number).nonzero()[:, 0]
        if len(rows):
            x[rows], labels[rows] = with_anomalies(name, share, images, index[rows])
    return Made(x, labels)


def _some(synthesis: Synthesiser, share: float, x: Tensor, sources: Tensor) -> Made:
    made = synthesis(x, sources)
    changed = torch.rand(len(x), 1, 1, 1, device=x.device) < share
    return Made(torch.where(changed, made.images, x), made.labels * changed[:, 0])
