"""DRAEM's two networks: one takes anomalies out of an image, one finds them in what both images are."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

RECONSTRUCTIVE = (1, 2, 4, 8, 8)  # channels of the levels, as multiples of the width
DISCRIMINATIVE = (1, 2, 4, 8, 8, 8)


class DRAEMNetwork(nn.Module):
    """Both networks.

    Parameters
    ----------
    channels : int
        C of the images.
    width : int
        Channels of the reconstructive network's first level, an even number; the discriminative one has half as many.
    """

    def __init__(self, channels: int, width: int = 128) -> None:
        super().__init__()
        self.reconstructive = Hourglass(channels, channels, [k * width for k in RECONSTRUCTIVE], skips=False)
        self.discriminative = Hourglass(2 * channels, 2, [k * width // 2 for k in DISCRIMINATIVE], skips=True)
        self.apply(_begin)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return reconstructions (n, C, S, S) and logits (n, 2, S, S) of images in [0, 1], fp32."""
        made = self.reconstructive(x)
        return made.float(), self.discriminative(torch.cat([made, x], 1)).float()


class Hourglass(nn.Module):
    """Levels of two 3 x 3 convolutions each, down by max-pooling and up bilinearly.

    Parameters
    ----------
    inputs, outputs : int
        Channels.
    widths : list of int
        Channels of the levels.
    skips : bool
        Whether what goes up is joined by what went down.
    """

    def __init__(self, inputs: int, outputs: int, widths: list[int], skips: bool) -> None:
        super().__init__()
        self.skips = skips
        self.down = nn.ModuleList(_layers(a, b, b) for a, b in zip([inputs, *widths], widths, strict=False))
        self.up, self.merge = nn.ModuleList(), nn.ModuleList()
        below = widths[-1]
        for level in range(len(widths) - 2, -1, -1):
            here = widths[level]
            then = widths[max(level - 1, 0)]  # how many channels the next level up has
            raised = then if skips else below
            self.up.append(_layers(below, raised))
            self.merge.append(_layers(raised + here, then, then) if skips else _layers(raised, raised, then))
            below = then
        self.last = nn.Conv2d(below, outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, outputs, S, S) for `x`, (n, inputs, S, S)."""
        passed: list[Tensor] = []
        for level in self.down:
            x = level(F.max_pool2d(x, 2) if passed else x)
            passed.append(x)
        for up, merge, skip in zip(self.up, self.merge, passed[-2::-1], strict=True):
            x = up(F.interpolate(x, skip.shape[-2:], mode="bilinear", align_corners=True))
            x = merge(torch.cat([x, skip], 1) if self.skips else x)
        return self.last(x)


def _layers(*channels: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in zip(channels, channels[1:], strict=False):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def _begin(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
