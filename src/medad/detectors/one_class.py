"""What the one-class methods look at before and while they train: all training images at once."""

from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor, nn

from medad.training.pixels import Pixels


def in_order(images: Pixels, at_once: int) -> Iterator[Tensor]:
    """Yield all images, (n, C, S, S) in [-1, 1], `at_once` at a time."""
    for index in torch.arange(len(images), device=images.device).split(at_once):
        yield images(index)


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
