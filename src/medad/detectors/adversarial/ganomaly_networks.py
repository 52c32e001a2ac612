"""GANomaly's networks in the authors' form and in MedIAnomaly's."""

from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from medad.detectors.adversarial.dcgan import doubling, draw, from_code, halving
from medad.networks.autoencoder import AE

SMALLEST_SIDE = 4
WIDEST = 8  # times the first layer's channels
BASE_WIDTH = 16  # channels of the first layer of `AE` with width 1


class Cycle(NamedTuple):
    """What the generator makes of a batch.

    Attributes
    ----------
    mean : Tensor
        The reconstruction, (n, C, S, S).
    z, z_hat : Tensor
        Codes of the image and of the reconstruction, (n, latent).
    """

    mean: Tensor
    z: Tensor
    z_hat: Tensor


class Generator(nn.Module):
    """Encoder, decoder, and a second encoder of the reconstruction.

    Parameters
    ----------
    encoder1, decoder, encoder2 : Module
        Images (n, C, S, S) -> codes (n, latent) and back.
    """

    def __init__(self, encoder1: nn.Module, decoder: nn.Module, encoder2: nn.Module) -> None:
        super().__init__()
        self.encoder1, self.decoder, self.encoder2 = encoder1, decoder, encoder2

    def forward(self, x: Tensor) -> Cycle:
        """Encode `x`, (n, C, S, S) in [-1, 1], decode and encode again; all fp32."""
        z = self.encoder1(x)
        mean = self.decoder(z)
        return Cycle(mean.float(), z.float(), self.encoder2(mean).float())


class Discriminator(nn.Module):
    """Tells images from reconstructions.

    Parameters
    ----------
    features : Module
        Images (n, C, S, S) -> features f.
    classifier : Module
        Features -> logits (n, 1), positive for images; the sigmoid is left to the loss.

    Attributes
    ----------
    loss_sum : Tensor
        Sum of the losses since it was last looked at; () buffer, so that a resumed training knows it.
    """

    loss_sum: Tensor

    def __init__(self, features: nn.Module, classifier: nn.Module) -> None:
        super().__init__()
        self.features, self.classifier = features, classifier
        self.register_buffer("loss_sum", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of `x`, (n,), fp32."""
        return self.classifier(self.features(x)).flatten().float()


def official_networks(size: int, channels: int, width: int, latent: int) -> tuple[Generator, Discriminator]:
    """Return the authors' generator and discriminator, weights drawn from N(0, 0.02).

    Parameters
    ----------
    size, channels : int
        Of the images. Sides are halved until they are 4 or odd; at 64 the channels are `width` times
        1-2-4-8, further levels stay at 8.
    width : int
        Channels of the first convolution; 64 in the paper.
    latent : int
        Size of the code; 100 in the paper.
    """
    levels, side = [width], size // 2
    while side > SMALLEST_SIDE and side % 2 == 0:
        levels.append(min(2 * levels[-1], WIDEST * width))
        side //= 2
    down = [channels, *levels]
    generator = Generator(
        _encoder(down, side, latent), _decoder(down[::-1], side, latent), _encoder(down, side, latent)
    )
    *features, last, flat = _encoder(down, side, 1)
    discriminator = Discriminator(nn.Sequential(*features), nn.Sequential(last, flat))
    return generator.apply(partial(draw, 1)), discriminator.apply(partial(draw, 1))


def _encoder(channels: list[int], side: int, outputs: int) -> nn.Sequential:
    last = nn.Conv2d(channels[-1], outputs, side, bias=False)
    return nn.Sequential(*halving(channels), last, nn.Flatten())


def _decoder(channels: list[int], side: int, latent: int) -> nn.Sequential:
    return nn.Sequential(*from_code(latent, channels[0], side), *doubling(channels), nn.Tanh())


def medianomaly_networks(
    size: int, channels: int, width: int, hidden: int, latent: int
) -> tuple[Generator, Discriminator]:
    """Return MedIAnomaly's generator and discriminator: the parts of `AE`, without norm between linear layers.

    Parameters
    ----------
    size, channels, hidden, latent : int
        As for :class:`medad.networks.autoencoder.AE`.
    width : int
        Channels of the first convolution, a multiple of 16.
    """
    first, second = (AE(size, channels, width // BASE_WIDTH, hidden, latent) for _ in range(2))
    third = AE(size, channels, width // BASE_WIDTH, hidden, 1)
    decoder = nn.Sequential(*_without_norm(first.linear_dec), nn.Unflatten(1, first.code), *first.decoder)
    *features, last = _coder(third)
    generator = Generator(_coder(first), decoder, _coder(second))
    return generator, Discriminator(nn.Sequential(*features), last)


def _coder(network: AE) -> nn.Sequential:
    return nn.Sequential(*network.encoder, nn.Flatten(), *_without_norm(network.linear_enc))


def _without_norm(layers: nn.Sequential) -> list[nn.Module]:
    """Return `layers` but for the batch norms; without these, biases are worth training."""
    return [layer.requires_grad_(True) for layer in layers if not isinstance(layer, nn.BatchNorm1d)]


def with_own_statistics(network: nn.Module) -> nn.Module:
    """Turn every batch norm of `network` into one over the values of each image alone; return it."""
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                own = nn.InstanceNorm2d(child.num_features, child.eps, affine=True)
                own.weight, own.bias = child.weight, child.bias
                setattr(module, name, own)
    return network
