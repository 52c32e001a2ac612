"""The codes of all training images at once, which one-class methods look at before and while they train."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn


@torch.no_grad()
def codes_of(
    network: nn.Module, encode: Callable[[Tensor], Tensor], batches: Iterable[Tensor], batch_statistics: bool = False
) -> Tensor:
    """Return the codes of all images, (N, latent).

    Parameters
    ----------
    network : Module
        In training mode, in which it is left.
    encode : callable
        Images -> codes, through `network`.
    batches : iterable of Tensor
        All images.
    batch_statistics : bool
        Whether batch norms normalise as in training, instead of by their running statistics.
    """
    network.train(batch_statistics)
    codes = torch.cat([encode(x) for x in batches])
    network.train()
    return codes
