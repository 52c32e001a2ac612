"""Generator and critic of IGD (Chen et al., AAAI 2022)."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from medad.detectors.one_class.svdd_networks import off_zero
from medad.networks.linear import Linear
from medad.networks.residual import HE, DoublingConv, DownBlock, UpBlock, normalised_init
from medad.networks.resnet import FEATURES, FrozenResNet18
from medad.networks.ssim import FIVE_SCALES, ms_ssim

FOUR_SCALES = (0.0516, 0.3295, 0.3463, 0.2726)
WINDOW, SMALL_WINDOW = 11, 7
SSIM_SHARE = 0.85
ENCODERS = ("scratch", "resnet18")


class Plan:
    """Of which layers a trunk consists for images of a side.

    Parameters
    ----------
    size, width : int
        Side of the images; channels at the wide end.

    Attributes
    ----------
    shape : tuple of int
        Of the maps at the small end, (channels, side, side), the side from 4 to 7.
    channels : list of int
        Between residual blocks, from the wide end: 64-128-256-512(-512) for width 64.
    outer, inner : bool
        Whether there is a single convolution that changes the side before the blocks, and after them.
    """

    def __init__(self, size: int, width: int) -> None:
        levels = 3
        while size >> levels > 7:
            levels += 1
        self.outer, self.inner = levels > 3, levels > 5
        self.channels = [width * min(2**i, 8) for i in range(levels - self.outer - self.inner + 1)]
        self.shape = (self.channels[-1], size >> levels, size >> levels)
        self.features = self.shape[0] * self.shape[1] ** 2


def down_trunk(size: int, channels: int, width: int, norm: str) -> nn.Sequential:
    """Return the layers from images (n, `channels`, S, S) to features (n, f), `norm` ``"batch"`` or ``"layer"``."""
    plan = Plan(size, width)
    kernel, stride = (5, 2) if plan.outer else (3, 1)
    first = nn.Conv2d(channels, width, kernel, stride, padding=kernel // 2)
    layers = [normalised_init(first), *(DownBlock(a, b, norm) for a, b in pairwise(plan.channels))]
    if plan.inner:
        last = plan.channels[-1]
        layers.append(normalised_init(nn.Conv2d(last, last, 3, stride=2, padding=1)))
    return nn.Sequential(*layers, nn.Flatten())


def up_trunk(size: int, channels: int, width: int) -> nn.Sequential:
    """Return the layers from maps of `Plan.shape` to images (n, `channels`, S, S), unbounded."""
    plan = Plan(size, width)
    last = DoublingConv if plan.outer else _keeping
    layers = [UpBlock(a, b) for a, b in pairwise(reversed(plan.channels))]
    out = [nn.BatchNorm2d(width), nn.ReLU(inplace=True), normalised_init(last(width, channels), HE)]
    deepest = plan.channels[-1]
    first = [normalised_init(DoublingConv(deepest, deepest), HE)] if plan.inner else []
    return nn.Sequential(*first, *layers, *out)


def _keeping(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


class IGDGenerator(nn.Module):
    """Autoencoder with a Gaussian around the codes of the normal images.

    Parameters
    ----------
    size, channels : int
        Of the images.
    width : int
        Channels at the wide end; 64 in the paper.
    latent : int
        Length of a code.
    encoder : str
        ``"scratch"``, or ``"resnet18"``: frozen, only a linear layer behind it learns.

    Attributes
    ----------
    centre, sigma : Tensor
        Of the Gaussian: c, (latent,), and the mean squared distance to it, ().
    """

    centre: Tensor
    sigma: Tensor

    def __init__(
        self, size: int = 64, channels: int = 1, width: int = 64, latent: int = 128, encoder: str = "scratch"
    ) -> None:
        super().__init__()
        plan = Plan(size, width)
        self.features: nn.Module = FrozenResNet18()
        found = FEATURES
        if encoder == "scratch":
            found = 8 * width
            last = normalised_init(Linear(plan.features, found))
            self.features = nn.Sequential(down_trunk(size, channels, width, "batch"), last)
        self.to_code = normalised_init(Linear(found, latent))
        self.shape = plan.shape
        self.from_code = normalised_init(Linear(latent, plan.features))
        self.trunk = up_trunk(size, channels, width)
        self.register_buffer("centre", torch.zeros(latent))
        self.register_buffer("sigma", torch.ones(()))

    @property
    def trained(self) -> nn.ModuleList:
        """The parts that learn."""
        return nn.ModuleList(m for m in self.children() if not isinstance(m, FrozenResNet18))

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes of `x`, (n, C, S, S) in [-1, 1]: (n, latent), fp32."""
        return self.to_code(self.features(x)).float()

    def decode(self, z: Tensor) -> Tensor:
        """Return the images of codes `z`, (n, latent): (n, C, S, S), unbounded, fp32."""
        return self.trunk(self.from_code(z).unflatten(1, self.shape)).float()

    def place_gaussian(self, codes: Tensor) -> None:
        """Move the Gaussian to the codes of all training images, (N, latent)."""
        self.centre.copy_(off_zero(codes.mean(0)))
        self.sigma.copy_((codes - self.centre).square().sum(1).mean().clamp(min=1.0))

    def surprise(self, z: Tensor) -> Tensor:
        """Return how far codes `z` are off, (n,) in [0, 1]: 1 - exp(-||z - c||^2 / sigma)."""
        return 1 - (-(z - self.centre).square().sum(1) / self.sigma).exp()


class IGDCritic(nn.Module):
    """Estimates how far an image lies between two others: the share of the nearer one's code, 0 for an image itself.

    Parameters
    ----------
    size, channels, width : int
        See :class:`IGDGenerator`.
    """

    def __init__(self, size: int = 64, channels: int = 1, width: int = 64) -> None:
        super().__init__()
        self.trunk = down_trunk(size, channels, width, "layer")
        self.out = normalised_init(Linear(Plan(size, width).features, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return (n,), unbounded, fp32, for `x` (n, C, S, S)."""
        return self.out(self.trunk(x)).squeeze(1).float()


def dissimilarity(x: Tensor, y: Tensor) -> Tensor:
    """Return 0.85 (1 - MS-SSIM) + 0.15 mean |x - y| / 2 of each image, (n,).

    Parameters
    ----------
    x, y : Tensor
        (n, C, S, S) in [-1, 1], `y` also beyond. MS-SSIM has five scales and a window of 11 pixels, below sides
        of 176 four and at most 7.
    """
    side = x.shape[-1]
    large = side // 16 >= WINDOW
    weights: tuple[float, ...] = FIVE_SCALES if large else FOUR_SCALES
    window = WINDOW if large else min(SMALL_WINDOW, (side // 8 - 1) | 1)
    similarity = ms_ssim((x + 1) / 2, (y + 1) / 2, weights, window)
    return SSIM_SHARE * (1 - similarity) + (1 - SSIM_SHARE) * (x - y).abs().mean((1, 2, 3)) / 2
