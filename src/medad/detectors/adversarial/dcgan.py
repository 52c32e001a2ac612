"""The networks of a DCGAN (Radford, Metz, Chintala, ICLR 2016), as AnoGAN has them."""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

from torch import Tensor, nn

from medad.networks.wgan import smallest_maps, trunk_channels


class Generator(nn.Sequential):
    """Codes (n, latent) to images (n, C, S, S) in [-1, 1]: 4 x 4 transposed convolutions, batch norm, ReLU.

    Parameters
    ----------
    size, channels : int
        Of the images. At 64 pixels maps of 4 x 4 are doubled four times; larger images have more maps of
        8 * `width` channels.
    width : int
        Channels before the last layer; 64 for Radford et al.
    latent : int
        Length of a code.
    """

    def __init__(self, size: int, channels: int = 1, width: int = 64, latent: int = 100) -> None:
        first, side, _ = smallest_maps(size, width)
        up = [*trunk_channels(size, width)[-2::-1], channels]
        super().__init__(*from_code(latent, first, side), *doubling(up), nn.Tanh())
        self.apply(partial(draw, (64 / width) ** 0.5))


class Discriminator(nn.Module):
    """The generator mirrored: 4 x 4 convolutions, batch norm but after the first, LeakyReLU 0.2.

    Parameters
    ----------
    size, channels, width
        See :class:`Generator`.

    Attributes
    ----------
    features : Module
        f, the last hidden layer: images (n, C, S, S) -> (n, 8 * `width`, 4, 4) at 64 pixels.
    """

    def __init__(self, size: int, channels: int = 1, width: int = 64) -> None:
        super().__init__()
        self.features = nn.Sequential(*halving([channels, *trunk_channels(size, width)[:-1]]))
        last, side, _ = smallest_maps(size, width)
        self.out = nn.Conv2d(last, 1, side, bias=False)
        self.apply(partial(draw, (64 / width) ** 0.5))

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of `x` (n, C, S, S), (n,), fp32: positive for images that look real."""
        return self.out(self.features(x)).flatten().float()


def halving(channels: Sequence[int]) -> list[nn.Module]:
    """Return 4 x 4 stride-2 convolutions between maps of these channels, batch norm after all but the first."""
    layers: list[nn.Module] = []
    for a, b in pairwise(channels):
        norm = [nn.BatchNorm2d(b)] if layers else []
        layers += [nn.Conv2d(a, b, 4, stride=2, padding=1, bias=False), *norm, nn.LeakyReLU(0.2, inplace=True)]
    return layers


def doubling(channels: Sequence[int]) -> list[nn.Module]:
    """Return 4 x 4 stride-2 transposed convolutions between maps of these channels, batch norm and ReLU before each."""
    layers: list[nn.Module] = []
    for a, b in pairwise(channels):
        double = nn.ConvTranspose2d(a, b, 4, stride=2, padding=1, bias=False)
        layers += [nn.BatchNorm2d(a), nn.ReLU(inplace=True), double]
    return layers


def from_code(latent: int, channels: int, side: int) -> list[nn.Module]:
    """Return the layers from codes (n, `latent`) to maps (n, `channels`, `side`, `side`)."""
    return [nn.Unflatten(1, (latent, 1, 1)), nn.ConvTranspose2d(latent, channels, side, bias=False)]


def draw(factor: float, layer: nn.Module) -> None:
    """Draw the weights of a layer from N(0, 0.02), as Radford et al. do; those of convolutions are `factor` as large.

    Narrow networks need larger ones, so that sums keep their size.
    """
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(layer.weight, 0.0, 0.02 * factor)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1.0, 0.02)
