"""The losses of Wasserstein GANs with gradient penalty (Gulrajani et al., NeurIPS 2017)."""

from collections.abc import Callable

import torch
from torch import Tensor

PENALTY = 10.0


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, share: Tensor) -> Tensor:
    """Return the mean over images of (||gradient of the critic|| - 1)^2 between real and generated ones.

    The norm is over all values of an image. Layers of the critic must be differentiable twice:
    ``torch.nn.Linear``, not :class:`medad.networks.linear.Linear`.

    Parameters
    ----------
    critic : callable
        (n, ...) -> n values, in any shape.
    real, fake : Tensor
        (n, ...); the second without gradients.
    share : Tensor
        (n,) in [0, 1], of the real image in the point between both.
    """
    share = share.view(-1, *[1] * (real.ndim - 1))
    between = (share * real + (1 - share) * fake).detach().requires_grad_(True)
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (slope.float().flatten(1).norm(dim=1) - 1).square().mean()


def critic_loss(
    critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, share: Tensor, weight: float = PENALTY
) -> Tensor:
    """Return mean critic(fake) - mean critic(real) + `weight` times the gradient penalty.

    Parameters
    ----------
    critic, real, fake, share
        See :func:`gradient_penalty`.
    weight : float
        Of the penalty.
    """
    fake = fake.detach()
    distance = critic(fake).mean() - critic(real).mean()
    return distance + weight * gradient_penalty(critic, real, fake, share)
