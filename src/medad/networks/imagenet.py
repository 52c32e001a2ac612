"""Images as networks that were trained on ImageNet expect them."""

import torch
from torch import Tensor, nn


class ImageNetColours(nn.Module):
    """Grey or RGB images in [-1, 1] as RGB with ImageNet's mean taken out, divided by its standard deviation."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name, values in (("mean", (0.485, 0.456, 0.406)), ("deviation", (0.229, 0.224, 0.225))):
            self.register_buffer(name, torch.tensor(values).view(-1, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, 3, S, S) for `x` (n, C, S, S)."""
        return (((x + 1) / 2).expand(-1, 3, -1, -1) - self.mean) / self.deviation
