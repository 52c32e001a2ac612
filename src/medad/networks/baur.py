"""The unified network of Baur et al.: AAE's and AnoVAEGAN's.

References
----------
Baur et al., Autoencoders for unsupervised anomaly segmentation in brain MR images: a comparative study,
Medical Image Analysis 2021.
"""

from collections.abc import Callable
from itertools import pairwise
from math import prod
from typing import NamedTuple

import torch
from torch import Tensor, nn

from medad.networks.linear import Linear
from medad.networks.vae import kl_divergence, sampled

LARGEST_SIDE = 8  # of the last map of the encoder
SLOPE = 0.3  # Keras's default
CRITIC_SLOPE = 0.2
RHO = 1.0  # weight of the codes in the constrained loss
BOTTLENECKS = ("dense", "spatial")


class Shape(NamedTuple):
    """What the images are, and how wide the network is.

    Attributes
    ----------
    size, channels : int
        Side S of the images, a multiple of 16 (of 32 above 128, of 64 above 256), and C.
    width : int
        Channels of the first convolution: they double with every level, up to four times as many.
    """

    size: int
    channels: int
    width: int

    @property
    def levels(self) -> int:
        """Number of stride-2 convolutions: until the side is at most 8."""
        return next(n for n in range(self.size) if self.size >> n <= LARGEST_SIDE)

    @property
    def last(self) -> tuple[int, int, int]:
        """Shape of the last map of the encoder, (channels, side, side)."""
        side = self.size >> self.levels
        return self.width * 2 ** min(self.levels - 1, 2), side, side


def layer_norm(channels: int) -> nn.Module:
    """Return a norm over all values of an image, with one scale and shift a channel."""
    return nn.GroupNorm(1, channels)


def trunk(shape: Shape, norm: Callable[[int], nn.Module] = nn.BatchNorm2d) -> list[nn.Module]:
    """Return the layers from (n, C, S, S) to (n, *shape.last): 5 x 5 stride-2 convolutions."""
    filters = [shape.width * 2 ** min(i, 2) for i in range(shape.levels)]
    layers: list[nn.Module] = []
    for a, b in pairwise([shape.channels, *filters]):
        layers += [nn.Conv2d(a, b, 5, stride=2, padding=2), norm(b), nn.LeakyReLU(SLOPE)]
    return layers


def mirror(shape: Shape, norm: Callable[[int], nn.Module] = nn.BatchNorm2d) -> list[nn.Module]:
    """Return the layers from (n, *shape.last) to (n, C, S, S): transposed convolutions, linear output."""
    filters = [shape.width * 4 // 2 ** min(i, 2) for i in range(shape.levels)]
    layers: list[nn.Module] = [norm(shape.last[0]), nn.ReLU()]
    for a, b in pairwise([shape.last[0], *filters]):
        layers += [nn.ConvTranspose2d(a, b, 5, stride=2, padding=2, output_padding=1), norm(b), nn.LeakyReLU(SLOPE)]
    return [*layers, nn.Conv2d(filters[-1], shape.channels, 1)]


def narrow(shape: Shape) -> tuple[int, int, int]:
    """Return the shape of the last map after the 1 x 1 convolution that leaves an eighth of its channels."""
    channels, *side = shape.last
    return max(channels // 8, 1), *side  # type: ignore[return-value]


def flattened(shape: Shape) -> list[nn.Module]:
    """Return the layers from the last map to the vector before the code: 1 x 1 convolution, flat."""
    return [nn.Conv2d(shape.last[0], narrow(shape)[0], 1), nn.Flatten()]


def unflattened(shape: Shape, latent: int, dropout: float) -> list[nn.Module]:
    """Return the layers from the code, (n, latent), back to the last map; dropout before and after the linear one."""
    few = narrow(shape)
    return [
        nn.Dropout(dropout),
        Linear(latent, prod(few)),
        nn.Dropout(dropout),
        nn.Unflatten(1, few),
        nn.Conv2d(few[0], shape.last[0], 1),
    ]


class UnifiedAE(nn.Module):
    """The autoencoder of AAE.

    Parameters
    ----------
    shape : Shape
        Images and width.
    latent : int
        Size of the code.
    dropout : float
        Share of the code's values, and of those after the decoder's linear layer, dropped in training.
    """

    def __init__(self, shape: Shape, latent: int = 128, dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = nn.Sequential(*trunk(shape), *flattened(shape), Linear(prod(narrow(shape)), latent))
        self.decoder = nn.Sequential(*unflattened(shape, latent, dropout), *mirror(shape))

    def forward(self, x: Tensor) -> Tensor:
        """Reconstruct `x`, (n, C, S, S) in [0, 1]; unbounded, fp32."""
        return self.decode(self.encode(x))

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes of `x`, (n, latent), fp32."""
        return self.encoder(x).float()

    def decode(self, z: Tensor) -> Tensor:
        """Return what the codes `z` stand for, (n, C, S, S), fp32."""
        return self.decoder(z).float()

    def loss(self, x: Tensor) -> Tensor:
        """Mean squared error over batch and pixels."""
        return (x - self(x)).square().mean()

    def constrained_loss(self, x: Tensor) -> Tensor:
        """Mean squared error, plus that between the codes of images and of their reconstructions."""
        z = self.encode(x)
        out = self.decode(z)
        return (x - out).square().mean() + RHO * (z - self.encode(out)).square().mean()


class UnifiedVAE(nn.Module):
    """Encoder (batch norm) and generator (layer norm) of AnoVAEGAN.

    Parameters
    ----------
    shape : Shape
        Images and width.
    latent : int
        Size of the code of bottleneck ``"dense"``.
    dropout : float
        As for :class:`UnifiedAE`.
    bottleneck : str
        ``"dense"``, a vector; or ``"spatial"``, a map of twice `width` channels as large as the encoder's last.

    Attributes
    ----------
    code : tuple of int
        Shape of an image's code.
    """

    code: tuple[int, ...]

    def __init__(self, shape: Shape, latent: int = 128, dropout: float = 0.1, bottleneck: str = "dense") -> None:
        super().__init__()
        if bottleneck == "spatial":
            before: list[nn.Module] = []
            self.code = (2 * shape.width, *shape.last[1:])
            heads: list[nn.Module] = [nn.Conv2d(shape.last[0], self.code[0], 1) for _ in range(2)]
            after: list[nn.Module] = [nn.Dropout(dropout), nn.Conv2d(self.code[0], shape.last[0], 1)]
        else:
            before, after, self.code = flattened(shape), unflattened(shape, latent, dropout), (latent,)
            heads = [Linear(prod(narrow(shape)), latent) for _ in range(2)]
        self.mean, self.log_sigma = heads
        self.encoder = nn.Sequential(*trunk(shape), *before)
        self.generator = nn.Sequential(*after, *mirror(shape, layer_norm))

    def forward(self, x: Tensor) -> Tensor:
        """Reconstruct `x`, (n, C, S, S) in [0, 1], from the means of its codes."""
        return self.generate(self.posterior(x)[0])

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance of the codes of `x`, (n, *code) each, fp32; the network gives log sigma."""
        features = self.encoder(x)
        return self.mean(features).float(), 2 * self.log_sigma(features).float()

    def generate(self, z: Tensor) -> Tensor:
        """Return what the codes `z`, (n, *code), stand for, (n, C, S, S), unbounded, fp32."""
        return self.generator(z).float()

    def loss(self, x: Tensor, noise: Tensor) -> Tensor:
        """Return the mean over images of sum |x - x_hat| + sum KL, the codes sampled with `noise`, (n, *code)."""
        mu, log_variance = self.posterior(x)
        absolute = (x - self.generate(sampled(mu, log_variance, noise))).abs().flatten(1).sum(1)
        kl = prod(self.code) * kl_divergence(mu.flatten(1), log_variance.flatten(1))
        return (absolute + kl).mean()


def image_critic(shape: Shape) -> nn.Sequential:
    """Return the critic of images, (n, C, S, S) -> (n, 1): the trunk with layer norm, one linear layer."""
    return nn.Sequential(*trunk(shape, layer_norm), nn.Flatten(), nn.Linear(prod(shape.last), 1))


def latent_critic(latent: int, *hidden: int) -> nn.Sequential:
    """Return the critic of codes, (n, latent) -> (n, 1), with layers of `hidden` values between."""
    layers: list[nn.Module] = []
    for a, b in pairwise([latent, *hidden]):
        layers += [nn.Linear(a, b), nn.LeakyReLU(CRITIC_SLOPE)]
    return nn.Sequential(*layers, nn.Linear(hidden[-1], 1))


def to_unit_interval(x: Tensor) -> Tensor:
    """Map images in [-1, 1] to [0, 1], as Baur et al. scale them."""
    return torch.add(0.5, x, alpha=0.5)
