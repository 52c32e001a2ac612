"""The networks of Deep SVDD: nothing has a bias, so that they cannot give one output for all images."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from medad.networks.residual import normalised_init

LARGEST_MAP = 8  # side of the encoder's last map
CODE_SIDE = 4  # the decoder begins with the code as a map of this side
EPS = 1e-4  # of batch norms
LEAST_CONTRAST = 1e-6
LEAST_COORDINATE = 0.1  # of a centre
GAIN = nn.init.calculate_gain("leaky_relu")


class ContrastScaling(nn.Module):
    """Contrast normalisation: mean 0 and mean absolute value 1 in each image, then training images to [0, 1].

    Attributes
    ----------
    low, high : Tensor
        Smallest and largest normalised value of the training images, ().
    """

    low: Tensor
    high: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("low", torch.zeros(()))
        self.register_buffer("high", torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        """Return `x`, (n, C, S, S), normalised and scaled; images without contrast become flat ones."""
        extent = self.high - self.low
        return (contrast(x) - self.low) / (extent + (extent == 0))

    def fit(self, batches: Iterable[Tensor]) -> None:
        """Set the scale by all training images."""
        extremes = [torch.stack(contrast(x).aminmax()) for x in batches]
        low, high = torch.stack(extremes).unbind(1)
        self.low.copy_(low.min())
        self.high.copy_(high.max())


def contrast(x: Tensor) -> Tensor:
    """Return images with mean 0 and mean absolute value 1, (n, C, S, S); those without contrast become 0."""
    x = x - x.mean((1, 2, 3), keepdim=True, dtype=torch.float64).to(x.dtype)  # exact for a constant image
    return x / x.abs().mean((1, 2, 3), keepdim=True).clamp(min=LEAST_CONTRAST)


def off_zero(centre: Tensor) -> Tensor:
    """Return a centre, (latent,), with no coordinate nearer to 0 than 0.1: weights of zero could meet those."""
    pushed = torch.where(centre < 0, -LEAST_COORDINATE, LEAST_COORDINATE)
    return torch.where(centre.abs() < LEAST_COORDINATE, pushed, centre)


class SVDD(nn.Module):
    """5 x 5 convolutions and max pooling, a linear layer to the code, and the distance of codes to a centre.

    Parameters
    ----------
    size, channels : int
        Of the images. Levels 32-64-128 up to a side of 64; beyond, levels of 128 channels are added until the
        last map is at most 8 x 8.
    width : int
        Channels of the first convolution.
    latent : int
        Length of the code.
    nu : float or None
        Share of the training images that may lie outside of a soft boundary; None for a mere centre.

    Attributes
    ----------
    centre, radius : Tensor
        c, (latent,), and R, (), which is 0 without a boundary.
    fits_radius : Tensor
        Whether R is now reset in every batch, ().

    References
    ----------
    Ruff et al., ICML 2018; lukasruff/Deep-SVDD-PyTorch.
    """

    centre: Tensor
    radius: Tensor
    fits_radius: Tensor

    def __init__(
        self, size: int = 64, channels: int = 1, width: int = 32, latent: int = 128, nu: float | None = None
    ) -> None:
        super().__init__()
        self.nu = nu
        self.scaling = ContrastScaling()
        self.levels = [width, 2 * width, 4 * width]
        while size // 2 ** len(self.levels) > LARGEST_MAP:
            self.levels.append(4 * width)
        self.side = size // 2 ** len(self.levels)
        layers: list[nn.Module] = []
        for a, b in zip([channels, *self.levels], self.levels, strict=False):
            layers += [_conv(a, b), _norm(b), nn.LeakyReLU(inplace=True), nn.MaxPool2d(2)]
        self.encoder = nn.Sequential(*layers)
        self.linear = nn.Linear(self.levels[-1] * self.side**2, latent, bias=False)
        self.register_buffer("centre", torch.zeros(latent))
        self.register_buffer("radius", torch.zeros(()))
        self.register_buffer("fits_radius", torch.zeros((), dtype=torch.bool), persistent=False)

    def embed(self, x: Tensor) -> Tensor:
        """Return the codes of images, (n, latent), fp32, that :class:`ContrastScaling` has scaled."""
        return self.linear(self.encoder(x).flatten(1)).float()

    def forward(self, x: Tensor) -> Tensor:
        """Return the squared distances of images `x`, (n, C, S, S) in [-1, 1], to the centre, (n,)."""
        return (self.embed(self.scaling(x)) - self.centre).square().sum(1)

    def score(self, x: Tensor) -> Tensor:
        """Return how far beyond the boundary images lie, (n,): squared distance minus R^2."""
        return self(x) - self.radius.square()

    def loss(self, x: Tensor) -> Tensor:
        """Return the mean squared distance, or the loss of the soft boundary, after which R is reset if it is to be."""
        distance = self(x)
        if self.nu is None:
            return distance.mean()
        square = self.radius.square()
        loss = square + (distance - square).relu().mean() / self.nu
        fitted = distance.detach().sqrt().quantile(1 - self.nu)
        self.radius.copy_(torch.where(self.fits_radius, fitted, self.radius))
        return loss


class SVDDAutoencoder(nn.Module):
    """Deep SVDD's network with a decoder behind it, to pretrain its encoder.

    Parameters
    ----------
    svdd : SVDD
        The network.
    channels, latent : int
        As there; `latent` a multiple of 16.
    """

    def __init__(self, svdd: SVDD, channels: int = 1, latent: int = 128) -> None:
        super().__init__()
        self.svdd = svdd
        self.norm = nn.BatchNorm1d(latent, EPS, affine=False)
        self.code = (latent // CODE_SIDE**2, CODE_SIDE, CODE_SIDE)
        layers: list[nn.Module] = [nn.LeakyReLU(), nn.Upsample((svdd.side, svdd.side))]
        inputs = self.code[0]
        for level in reversed(svdd.levels):
            layers += [_conv(inputs, level), _norm(level), nn.LeakyReLU(inplace=True), nn.Upsample(scale_factor=2)]
            inputs = level
        self.decoder = nn.Sequential(*layers, _conv(inputs, channels), nn.Sigmoid())

    def decode(self, codes: Tensor) -> Tensor:
        """Return the images, (n, C, S, S) in [0, 1], that `codes`, (n, latent), stand for."""
        return self.decoder(self.norm(codes).unflatten(1, self.code)).float()

    def loss(self, x: Tensor) -> Tensor:
        """Return the squared error, summed over each scaled image, mean over images `x` (n, C, S, S) in [-1, 1]."""
        target = self.svdd.scaling(x)
        return F.mse_loss(self.decode(self.svdd.embed(target)), target, reduction="sum") / len(x)


def _conv(inputs: int, outputs: int) -> nn.Module:
    return normalised_init(nn.Conv2d(inputs, outputs, 5, padding=2, bias=False), GAIN)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, EPS, affine=False)
