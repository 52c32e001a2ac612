"""The U-Net of the denoising autoencoder."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class UNet(nn.Module):
    """U-Net of weight-standardised convolutions, SiLU and group norm, with average pooling.

    Parameters
    ----------
    channels : int
        Of the images, in and out.
    width : int
        Channels of the first level; each next level has twice as many.
    depth : int
        Number of levels; the side of the images is a multiple of 2^(depth - 1), and at least twice it.

    References
    ----------
    Kascenas et al., MIDL 2022, AntanasKascenas/DenoisingAE; weight standardisation: Qiao et al., 2019.
    """

    def __init__(self, channels: int = 1, width: int = 64, depth: int = 4) -> None:
        super().__init__()
        widths = [width * 2**i for i in range(depth)]
        self.down = nn.ModuleList(_block(a, b) for a, b in zip([channels, *widths], widths, strict=False))
        ups = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, stride=2) for a, b in ups)
        self.merge = nn.ModuleList(_block(a, b) for a, b in ups)  # b channels from below and b of the skip
        self.last = nn.Conv2d(width, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the denoised image of `x`, (n, C, S, S), unbounded, fp32."""
        skips: list[Tensor] = []
        for block in self.down:
            x = block(F.avg_pool2d(x, 2) if skips else x)
            skips.append(x)
        for up, merge, skip in zip(self.up, self.merge, skips[-2::-1], strict=True):
            x = merge(torch.cat([up(x), skip], dim=1))
        return self.last(x).float()


class StandardisedConv2d(nn.Conv2d):
    """Convolution whose filters have mean 0 and standard deviation 1 over their inputs and pixels."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution of `x`, (n, C, H, W)."""
        std, mean = torch.std_mean(self.weight, dim=(1, 2, 3), keepdim=True)
        return self._conv_forward(x, (self.weight - mean) / (std + 1e-5), self.bias)


def group_count(channels: int) -> int:
    """Return the upper median of the divisors of `channels`, e.g. 8 for 64 and 16 for 128."""
    divisors = [i for i in range(1, channels + 1) if channels % i == 0]
    return divisors[len(divisors) // 2]


def _block(inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (inputs, outputs):
        layers += [
            StandardisedConv2d(channels, outputs, 3, padding=1, padding_mode="reflect"),
            nn.SiLU(inplace=True),
            nn.GroupNorm(group_count(outputs), outputs),
        ]
    return nn.Sequential(*layers)
