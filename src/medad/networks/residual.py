"""Residual blocks that double or halve an image, norm and ReLU before each convolution (Gulrajani et al., 2017)."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Layer = TypeVar("Layer", bound=nn.Conv2d | nn.Linear)

# Layer norm over channels, height and width, with a gain and an offset per channel, as in the original code.
NORMS: dict[str, Callable[[int], nn.Module]] = {"batch": nn.BatchNorm2d, "layer": partial(nn.GroupNorm, 1)}
HE = 2**0.5  # gain of the 3 x 3 convolutions of a block; all others have 1


def normalised_init(layer: Layer, gain: float = 1.0) -> Layer:
    """Return `layer` with Glorot's uniform weights times `gain` and zero biases, the start of Gulrajani et al."""
    nn.init.xavier_uniform_(layer.weight, gain)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


class HalvingConv(nn.Conv2d):
    """A 3 x 3 convolution followed by 2 x 2 means, in one convolution of 4 x 4 and stride 2: half as many products."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, outputs, H / 2, W / 2) for `x` (n, inputs, H, W), even sides."""
        return F.conv2d(x, _spread(self.weight), self.bias, stride=2, padding=1)


class DoublingConv(nn.Conv2d):
    """Nearest upsampling x 2 followed by a 3 x 3 convolution, in one transposed convolution of 4 x 4 and stride 2."""

    def __init__(self, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__(inputs, outputs, 3, padding=1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, outputs, 2 H, 2 W) for `x` (n, inputs, H, W)."""
        mirrored = self.weight.flip(2, 3).transpose(0, 1).contiguous(memory_format=torch.channels_last)
        return F.conv_transpose2d(x, 4 * _spread(mirrored), self.bias, stride=2, padding=1)


def _spread(kernel: Tensor) -> Tensor:
    """Return kernels (., ., 3, 3) averaged over shifts by one pixel, (., ., 4, 4)."""
    return F.avg_pool2d(F.pad(kernel, (1, 1, 1, 1)), 2, stride=1)


class UpBlock(nn.Module):
    """Twice norm, ReLU, 3 x 3 convolution, the first after nearest upsampling x 2; plus a 1 x 1 shortcut.

    Parameters
    ----------
    inputs, outputs : int
        Channels; the first convolution changes them.
    norm : str
        ``"batch"`` or ``"layer"``, over channels, height and width.
    """

    def __init__(self, inputs: int, outputs: int, norm: str = "batch") -> None:
        super().__init__()
        make = NORMS[norm]
        first = normalised_init(DoublingConv(inputs, outputs, bias=False), HE)
        second = normalised_init(nn.Conv2d(outputs, outputs, 3, padding=1), HE)
        relu = partial(nn.ReLU, inplace=True)
        self.body = nn.Sequential(make(inputs), relu(), first, make(outputs), relu(), second)
        # A 1 x 1 convolution is the same before upsampling as after it.
        self.shortcut = nn.Sequential(normalised_init(nn.Conv2d(inputs, outputs, 1)), nn.Upsample(scale_factor=2))

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, outputs, 2 H, 2 W) for `x` (n, inputs, H, W)."""
        return self.shortcut(x) + self.body(x)


class DownBlock(nn.Module):
    """Twice norm, ReLU, 3 x 3 convolution, then 2 x 2 means; plus a shortcut of means and a 1 x 1 convolution.

    Parameters
    ----------
    inputs, outputs : int
        Channels; the second convolution changes them.
    norm : str
        ``"batch"`` or ``"layer"``, over channels, height and width.
    """

    def __init__(self, inputs: int, outputs: int, norm: str = "batch") -> None:
        super().__init__()
        make = NORMS[norm]
        first = normalised_init(nn.Conv2d(inputs, inputs, 3, padding=1, bias=False), HE)
        second = normalised_init(HalvingConv(inputs, outputs), HE)
        relu = partial(nn.ReLU, inplace=True)
        self.body = nn.Sequential(make(inputs), relu(), first, make(inputs), relu(), second)
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), normalised_init(nn.Conv2d(inputs, outputs, 1)))

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, outputs, H / 2, W / 2) for `x` (n, inputs, H, W), even sides."""
        return self.shortcut(x) + self.body(x)
