"""The losses of a GAN are binary cross-entropies."""

import torch
from torch.nn import functional as F

from medad.networks.adversarial import generated_loss, real_loss


def test_losses_are_cross_entropies():
    logits = 10 * torch.randn(20, dtype=torch.float64)
    cross_entropy = F.binary_cross_entropy_with_logits
    torch.testing.assert_close(real_loss(logits), cross_entropy(logits, torch.ones_like(logits)))
    torch.testing.assert_close(generated_loss(logits), cross_entropy(logits, torch.zeros_like(logits)))
