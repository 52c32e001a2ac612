"""The cross-entropy losses of a GAN with a discriminator (Goodfellow et al., NeurIPS 2014)."""

from torch import Tensor
from torch.nn import functional as F


def real_loss(logits: Tensor) -> Tensor:
    """Return the mean of -log sigmoid(logits): small where a discriminator says real."""
    return F.softplus(-logits).mean()


def generated_loss(logits: Tensor) -> Tensor:
    """Return the mean of -log(1 - sigmoid(logits)): small where a discriminator says generated."""
    return F.softplus(logits).mean()
