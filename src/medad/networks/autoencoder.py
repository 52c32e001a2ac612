"""The autoencoders of DDAD: AE, MemAE and AE-U, and AE with a spatial code.

In this every method on them (`ae`, `memae`, `aeu` and what varies them, `vae`, `ddad`) differs from the public codes:
above 128 pixels levels are added, so that the last map is at most 8 x 8; biases that a batch norm takes away again are
not trained, as their gradient is rounding noise; MedIAnomaly's 600 epochs on Brain Tumor are not built in.
"""

import math
from typing import NamedTuple

from torch import Tensor, nn

from medad.networks.linear import Linear
from medad.networks.memory import Memory

LARGEST_BOTTLENECK = 8


class Reconstruction(NamedTuple):
    """What an autoencoder says about a batch.

    Attributes
    ----------
    mean : Tensor
        The reconstruction, (n, C, S, S), in the range of the input.
    log_variance : Tensor or None
        log(sigma^2) of every value, same shape (AE-U only).
    weights : Tensor or None
        Memory weights, (n, slots), each row sums to 1 (MemAE only).
    """

    mean: Tensor
    log_variance: Tensor | None = None
    weights: Tensor | None = None


class AE(nn.Module):
    """Autoencoder of the DDAD-ASR paper's code: four stride-2 convolutions, four linear layers.

    Parameter names are those of the published checkpoints.

    Parameters
    ----------
    size : int
        Side S of the images: a multiple of 16. Above 128, levels of 64 channels are added until the
        bottleneck is at most 8 x 8, and S is a multiple of 32, above 256 of 64.
    channels : int
        1 (grey) or 3 (RGB).
    width : int
        Multiplier of the convolution channels 16-32-64-64.
    hidden, latent : int
        Sizes of the linear layers.

    References
    ----------
    Cai et al., Medical Image Analysis 2023; network of Mao et al., MICCAI 2020.
    """

    outputs = 1

    def __init__(self, size: int = 64, channels: int = 1, width: int = 1, hidden: int = 2048, latent: int = 16) -> None:
        super().__init__()
        levels = [16 * width, 32 * width, 64 * width, 64 * width]
        while size // 2 ** len(levels) > LARGEST_BOTTLENECK:
            levels.append(64 * width)
        side = size // 2 ** len(levels)
        self.code = (levels[-1], side, side)
        self.encoder = nn.Sequential(
            *_stack(nn.Conv2d, [channels, *levels]), nn.BatchNorm2d(levels[-1]), nn.ReLU(inplace=True)
        )
        self.linear_enc, self.linear_dec = self.bottleneck(hidden, latent)
        self.decoder = nn.Sequential(*_stack(nn.ConvTranspose2d, [*levels[::-1], channels * self.outputs]))

    def bottleneck(self, hidden: int, latent: int) -> tuple[nn.Sequential, nn.Sequential]:
        """Return the layers from the encoder's maps, of shape `code`, to the codes, and those back."""
        flat = math.prod(self.code)
        return _linear(flat, hidden, latent), _linear(latent, hidden, flat)

    def forward(self, x: Tensor) -> Reconstruction:
        """Reconstruct `x`, (n, C, S, S) in [-1, 1]."""
        return Reconstruction(self.decode(self.encode(x)))

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes of `x`, (n, latent)."""
        return self.linear_enc(self.encoder(x).flatten(1))

    def decode(self, z: Tensor) -> Tensor:
        """Return what the codes `z` stand for, (n, C * outputs, S, S), unbounded, fp32."""
        return self.decoder(self.linear_dec(z).unflatten(1, self.code)).float()

    def loss(self, x: Tensor) -> Tensor:
        """Mean squared error over batch and pixels (the paper's code; the paper sums)."""
        return (x - self(x).mean).square().mean()


class SpatialAE(AE):
    """AE with a code at every position of the last map: 1 x 1 convolutions in place of the linear layers."""

    def bottleneck(self, hidden: int, latent: int) -> tuple[nn.Sequential, nn.Sequential]:
        """Return the layers from the encoder's maps to the codes, and those back."""
        maps = self.code[0]
        return _pointwise(maps, hidden, latent), _pointwise(latent, hidden, maps)

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes of `x`, (n, latent, s, s) for maps of s x s."""
        return self.linear_enc(self.encoder(x))

    def decode(self, z: Tensor) -> Tensor:
        """Return what the codes `z` stand for, (n, C, S, S), unbounded, fp32."""
        return self.decoder(self.linear_dec(z)).float()


class MemAE(AE):
    """AE whose decoder sees only combinations of stored codes (Gong et al., ICCV 2019).

    One query per image, as in DDAD-ASR: 25 slots, no shrinkage, entropy weight 0.0002.
    """

    entropy_weight = 0.0002

    def __init__(self, size: int = 64, channels: int = 1, width: int = 1, hidden: int = 2048, latent: int = 16) -> None:
        super().__init__(size, channels, width, hidden, latent)
        self.mem_rep = Memory(slots=25, features=latent, shrink=0.0)

    def forward(self, x: Tensor) -> Reconstruction:
        """Reconstruct `x`, (n, C, S, S) in [-1, 1], from the memory."""
        z, weights = self.mem_rep(self.encode(x))
        return Reconstruction(self.decode(z), weights=weights)

    def loss(self, x: Tensor) -> Tensor:
        """Mean squared error plus 0.0002 times the mean entropy of the memory weights."""
        out = self(x)
        assert out.weights is not None
        entropy = -(out.weights * (out.weights + 1e-12).log()).sum(1).mean()
        return (x - out.mean).square().mean() + self.entropy_weight * entropy


class AEU(AE):
    """AE that also predicts the variance of every value (Mao et al., MICCAI 2020).

    Attributes
    ----------
    log_variance_limit : float
        log(sigma^2) is clamped to ± this. Neither public code clamps: a flat background then
        drives single pixels to variances that dominate the score.
    """

    outputs = 2
    log_variance_limit = 10.0

    def forward(self, x: Tensor) -> Reconstruction:
        """Reconstruct `x`, (n, C, S, S) in [-1, 1], and predict log(sigma^2)."""
        mean, log_variance = self.decode(self.encode(x)).chunk(2, dim=1)
        return Reconstruction(mean, log_variance.clamp(-self.log_variance_limit, self.log_variance_limit))

    def loss(self, x: Tensor) -> Tensor:
        """mean(exp(-s) (x - mean)^2) + mean(s), with s = log(sigma^2); it can be negative."""
        mean, s, _ = self(x)
        assert s is not None
        return ((-s).exp() * (x - mean).square()).mean() + s.mean()


def _stack(convolution: type[nn.Module], channels: list[int]) -> list[nn.Module]:
    """4 x 4 stride-2 convolutions, batch norm and ReLU after each but the last."""
    layers: list[nn.Module] = []
    for a, b in zip(channels, channels[1:], strict=False):
        if layers:
            layers += [nn.BatchNorm2d(a), nn.ReLU(inplace=True)]
        layers.append(convolution(a, b, 4, stride=2, padding=1, bias=False))
    return layers


def _linear(features: int, hidden: int, outputs: int) -> nn.Sequential:
    first = Linear(features, hidden)
    # The batch norm takes this bias away, so its gradient is rounding noise, of which Adam would make whole steps:
    # where the norm's input hardly varies, as in MemAE, its running mean could not follow them.
    first.bias.requires_grad_(False)
    return nn.Sequential(first, nn.BatchNorm1d(hidden), nn.ReLU(inplace=True), Linear(hidden, outputs))


def _pointwise(maps: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(maps, hidden, 1, bias=False),
        nn.BatchNorm2d(hidden),
        nn.ReLU(inplace=True),
        nn.Conv2d(hidden, outputs, 1, bias=False),
    )


BACKBONES: dict[str, type[AE]] = {"ae": AE, "memae": MemAE, "aeu": AEU}
