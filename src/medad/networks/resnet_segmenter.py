"""A ResNet-18 encoder and a light decoder, from an image to values of every pixel (Schlueter et al., ECCV 2022)."""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from medad.networks.resnet import BasicBlock


class SpreadingConv(nn.ConvTranspose2d):
    """A transposed 1 x 1 convolution of stride 2: an ordinary one, the output spread over every other pixel.

    It is computed so, because torch's own (2.13, on CPUs) writes past its memory in training with few channels.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 1, stride=2, bias=False)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Return (n, outputs, *output_size) for `x` (n, inputs, H, W); by default 2 H - 1 and 2 W - 1."""
        made = F.conv2d(x, self.weight.transpose(0, 1))
        height, width = output_size or (2 * side - 1 for side in x.shape[2:])
        spread = made.new_zeros(*made.shape[:2], height, width).contiguous(memory_format=torch.channels_last)
        spread[:, :, ::2, ::2] = made
        return spread if self.bias is None else spread + self.bias[:, None, None]


class DoublingBlock(nn.Module):
    """The mirror of a halving `BasicBlock`: both ways double the image by transposed convolutions.

    Parameters
    ----------
    inputs, outputs : int
        Channels.
    """

    norms: ClassVar = {"bn1": "conv1", "bn2": "conv2", "bn_shortcut": "shortcut"}

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = SpreadingConv(inputs, outputs)
        self.bn_shortcut = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor, sides: list[int]) -> Tensor:
        """Return (n, outputs, *sides) for `x` (n, inputs, H, W); sides are twice H and W, or one less."""
        out = self.bn2(self.conv2(self.bn1(self.conv1(x, sides)).relu_()))
        return (out + self.bn_shortcut(self.shortcut(x, sides))).relu_()


class ResNetSegmenter(nn.Module):
    """ResNet-18, squeezed by two 1 x 1 convolutions, and three doubling blocks; batch norms, no biases, no skips.

    An image of 224 pixels becomes 112, 56 (after pooling), 28, 14 and 7 on the way down, and goes back through the
    same sides. Where a side is odd on the way down, as at 112, the way back comes to it too.

    Parameters
    ----------
    channels : int
        Of the images.
    width : int
        Channels of the first layers, 64 in the paper; a multiple of 16: with fewer the encoder's 1 x 1 convolutions
        of stride 2 meet the same fault of torch as :class:`SpreadingConv`.
    maps : int
        How many maps it gives, 1 in the paper.
    """

    norms: ClassVar = {"bn1": "conv1"}

    def __init__(self, channels: int, width: int = 64, maps: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.down = nn.ModuleList(_two_blocks(width * s, width * t) for s, t in ((1, 1), (1, 2), (2, 4), (4, 8)))
        self.squeeze = nn.Sequential(
            nn.Conv2d(8 * width, 4 * width, 1, bias=False),
            nn.ReLU(inplace=True),
            nn.Conv2d(4 * width, 2 * width, 1, bias=False),
            nn.ReLU(inplace=True),
        )
        self.up = nn.ModuleList(DoublingBlock(2 * width // s, width // s) for s in (1, 2, 4))
        self.last = nn.ConvTranspose2d(width // 4, maps, 7, stride=2, padding=3, bias=False)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Return maps before their last non-linearity, (n, maps, H, W), for `x` (n, channels, H, W) in [0, 1]."""
        image = list(x.shape[2:])
        x = self.bn1(self.conv1(x)).relu_()
        half, x = list(x.shape[2:]), self.maxpool(x)
        sides = []
        for layer in self.down:
            x = layer(x)
            sides.append(list(x.shape[2:]))
        x = self.squeeze(x)
        for block, side in zip(self.up, sides[2::-1], strict=True):
            x = block(x, side)
        x = F.interpolate(x, half, mode="bilinear", align_corners=True)
        return self.last(x, image).float()


def _two_blocks(inputs: int, outputs: int) -> nn.Sequential:
    """Return a stage of ResNet-18, which halves the image where it changes its channels."""
    return nn.Sequential(BasicBlock(inputs, outputs, 1 if inputs == outputs else 2), BasicBlock(outputs, outputs, 1))
