"""Exponential averages of weights over the steps of a training."""

import torch
from torch import Tensor, nn


def newest_share(decay: float, number: int) -> float:
    """Return the weight of the newest weights in an average with `decay`, in step `number`, the first being 0.

    It is larger in the first steps, so that the average forgets the start.
    """
    return 1 - min(decay, (1 + number) / (10 + number))


def move_average(average: nn.Module, network: nn.Module, weight: Tensor) -> None:
    """Move the average towards the network by `weight`, (), of the way."""
    with torch.no_grad():
        for slow, fast in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
            if slow.is_floating_point():
                slow.lerp_(fast, weight)
            else:
                slow.copy_(fast)
