"""Which image an anomaly is taken from."""

import torch
from torch import Tensor


def other_indices(index: Tensor, count: int) -> Tensor:
    """For each of `index` (integers below `count`) draw another integer below `count`, uniformly."""
    return (index + torch.randint(1, count, index.shape, device=index.device)) % count
