"""The networks of a DCGAN (Radford, Metz, Chintala, ICLR 2016), as AnoGAN has them (spec section 6.1)."""

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
        project = nn.ConvTranspose2d(latent, first, side, bias=False)
        layers: list[nn.Module] = [nn.Unflatten(1, (latent, 1, 1)), project]
        for a, b in pairwise([*trunk_channels(size, width)[-2::-1], channels]):
            double = nn.ConvTranspose2d(a, b, 4, stride=2, padding=1, bias=False)
            layers += [nn.BatchNorm2d(a), nn.ReLU(inplace=True), double]
        super().__init__(*layers, nn.Tanh())
        self.apply(partial(_draw, width))


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
        layers: list[nn.Module] = []
        for a, b in pairwise([channels, *trunk_channels(size, width)[:-1]]):
            norm = [nn.BatchNorm2d(b)] if layers else []
            layers += [nn.Conv2d(a, b, 4, stride=2, padding=1, bias=False), *norm, nn.LeakyReLU(0.2, inplace=True)]
        self.features = nn.Sequential(*layers)
        last, side, _ = smallest_maps(size, width)
        self.out = nn.Conv2d(last, 1, side, bias=False)
        self.apply(partial(_draw, width))

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of `x` (n, C, S, S), (n,), fp32: positive for images that look real."""
        return self.out(self.features(x)).flatten().float()


def _draw(width: int, layer: nn.Module) -> None:
    """Draw the weights as Radford et al. do; in narrower networks they are larger, so that sums keep their size."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(layer.weight, 0.0, 0.02 * (64 / width) ** 0.5)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1.0, 0.02)
