"""What a network learns to say of a changed pixel (Schlueter et al., ECCV 2022, and its code)."""

import torch
from torch import Tensor

from medad.synthesis.contract import Made
from medad.synthesis.median import disk_median, majority

GREY_LEVELS = 127.5  # in one unit of images in [-1, 1]
KINDS = ("binary", "continuous", "intensity", "logistic")
STEEPNESS, MIDDLE = 0.5, 4.0  # of the logistic label, per grey level and in grey levels: those for chest X-rays


def blend_factors(images: Tensor) -> Tensor:
    """Draw how much of the source an image receives, (n, 1, 1, 1), from U(0.05, 0.95)."""
    return 0.05 + 0.9 * torch.rand(len(images), 1, 1, 1, device=images.device)


def labelled(kind: str, before: Tensor, after: Tensor, masks: Tensor, factors: Tensor | float = 1.0) -> Made:
    """Return changed images with their labels, as :func:`make_labels` gives them.

    Where the change is too faint or too narrow for any label, the image stays as it was: it would be learned as normal.
    """
    labels = make_labels(kind, before, after, masks, factors)
    return Made(torch.where(labels.any(2).any(1)[:, None, None, None], after, before), labels)


def make_labels(kind: str, before: Tensor, after: Tensor, masks: Tensor, factors: Tensor | float = 1.0) -> Tensor:
    """Return the labels of changed images.

    A pixel counts as changed if it lies in the mask and the mean of its channels' differences exceeds one grey level;
    a median of 5 x 5 pixels takes out grains.

    Parameters
    ----------
    kind : str
        ``"binary"``: 1 where changed. ``"continuous"``: the blend factor where changed. ``"intensity"``: the
        difference in grey levels, median filtered with a disk of radius 5. ``"logistic"``: 1 / (1 + exp(-k (d - x0)))
        of that intensity d, with k = 1/2 and x0 = 4 grey levels.
    before, after : Tensor
        (n, C, S, S) in [-1, 1].
    masks : Tensor
        (n, S, S) ``bool``, where something was pasted.
    factors : Tensor or float
        (n, 1, 1, 1), of :func:`blend_factors`.

    Returns
    -------
    Tensor
        (n, S, S) ``float32``, 0 where nothing changed.
    """
    difference = (before - after).abs().mean(1) * GREY_LEVELS
    changed = majority((difference > 1) & masks, 5) & masks
    if kind == "binary":
        return changed.float()
    if kind == "continuous":
        return changed * torch.as_tensor(factors, device=before.device).view(-1, 1, 1)
    intensity = disk_median(difference * changed, changed, radius=5)
    if kind == "intensity":
        return intensity
    return changed * torch.sigmoid(STEEPNESS * (intensity - MIDDLE))
