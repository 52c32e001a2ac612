"""Generator, critic and encoder of f-AnoGAN (Schlegl et al., Medical Image Analysis 2019)."""

from itertools import pairwise

from torch import Tensor, nn

from medad.networks.linear import Linear
from medad.networks.residual import HE, DownBlock, UpBlock, normalised_init

LARGEST_SIDE = 7  # of the smallest maps: 4 for images of 64, 128 and 256 pixels


def trunk_channels(size: int, width: int) -> list[int]:
    """Return the channels of a trunk for images of side `size`, from the full side down: half of it at each entry."""
    levels = 4
    while size >> levels > LARGEST_SIDE:
        levels += 1
    return [width * min(2**i, 8) for i in range(levels + 1)]


def smallest_maps(size: int, width: int) -> tuple[int, int, int]:
    """Return the shape (channels, side, side) at the small end of a trunk: (8 * `width`, 4, 4) for 64 pixels."""
    channels = trunk_channels(size, width)
    side = size >> (len(channels) - 1)
    return channels[-1], side, side


def down_trunk(size: int, channels: int, width: int, norm: str) -> nn.Sequential:
    """Return a 3 x 3 convolution and down blocks: images (n, `channels`, S, S) -> (n, features).

    Parameters
    ----------
    size, channels : int
        Of the images.
    width : int
        Channels at full size; they double up to eight times as many.
    norm : str
        ``"batch"`` or ``"layer"``.
    """
    blocks = [DownBlock(a, b, norm) for a, b in pairwise(trunk_channels(size, width))]
    return nn.Sequential(normalised_init(nn.Conv2d(channels, width, 3, padding=1)), *blocks, nn.Flatten())


def trunk_features(size: int, width: int) -> int:
    """Return how many features a trunk ends with: 8192 for 64 pixels and width 64."""
    channels, height, across = smallest_maps(size, width)
    return channels * height * across


class Generator(nn.Module):
    """Codes to images: a linear layer and residual up blocks, batch norm.

    Parameters
    ----------
    size, channels : int
        Of the images.
    width : int
        Channels at full size; 64 in the paper.
    latent : int
        Length of a code.
    """

    def __init__(self, size: int, channels: int = 1, width: int = 64, latent: int = 128) -> None:
        super().__init__()
        self.shape = smallest_maps(size, width)
        self.start = normalised_init(Linear(latent, trunk_features(size, width)))
        self.trunk = nn.Sequential(*[UpBlock(a, b) for a, b in pairwise(trunk_channels(size, width)[::-1])])
        out = normalised_init(nn.Conv2d(width, channels, 3, padding=1), HE)
        self.out = nn.Sequential(nn.BatchNorm2d(width), nn.ReLU(inplace=True), out, nn.Tanh())

    def forward(self, z: Tensor) -> Tensor:
        """Return the images of codes `z` (n, latent): (n, C, S, S) in [-1, 1], fp32."""
        return self.out(self.trunk(self.start(z).unflatten(1, self.shape))).float()


class Critic(nn.Module):
    """Images to how real they look: residual down blocks, layer norm, so that every image is judged alone.

    Parameters
    ----------
    size, channels, width
        See :class:`Generator`.

    Attributes
    ----------
    features : Module
        f: images (n, C, S, S) -> (n, features).
    """

    def __init__(self, size: int, channels: int = 1, width: int = 64) -> None:
        super().__init__()
        self.features = down_trunk(size, channels, width, "layer")
        # Its slope is differentiated: not medad's Linear.
        self.out = normalised_init(nn.Linear(trunk_features(size, width), 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return D(x), (n,), unbounded, fp32, for `x` (n, C, S, S) in [-1, 1]."""
        return self.judged(self.features(x))

    def judged(self, features: Tensor) -> Tensor:
        """Return D(x), (n,), for the features of x."""
        return self.out(features).squeeze(1).float()


class Encoder(nn.Module):
    """Images to codes: the critic's trunk with batch norm, a linear layer and, if `bounded`, tanh.

    Parameters
    ----------
    size, channels, width, latent
        See :class:`Generator`.
    bounded : bool
        Whether codes are confined to [-1, 1], as in f-AnoGAN.
    """

    def __init__(self, size: int, channels: int = 1, width: int = 64, latent: int = 128, bounded: bool = True) -> None:
        super().__init__()
        self.trunk = down_trunk(size, channels, width, "batch")
        self.out = normalised_init(Linear(trunk_features(size, width), latent))
        self.bounded = bounded

    def forward(self, x: Tensor) -> Tensor:
        """Return the codes of `x` (n, C, S, S) in [-1, 1]: (n, latent), fp32."""
        z = self.out(self.trunk(x)).float()
        return z.tanh() if self.bounded else z
