"""The autoencoders of experiment 3."""

from torch import Tensor, nn

LAST = 8  # side of the encoder's last maps
NARROWEST, WIDEST = 32, 128  # channels


class Autoencoder(nn.Module):
    """Convolutions of stride 2 down to maps of 8 x 8, a linear bottleneck, and the mirrored way back.

    Parameters
    ----------
    size : int
        Side of the images: 8 times a power of 2.
    code : int
        Length of the code; of a spatial one at each of the 64 places.
    spatial : bool
        Whether the bottleneck is made of 1 x 1 convolutions, not of linear layers.

    References
    ----------
    Meissen et al., MIDL 2022, and their code.
    """

    def __init__(self, size: int, code: int, spatial: bool = False) -> None:
        super().__init__()
        levels = (size // LAST).bit_length() - 1
        widths = [min(NARROWEST * 2**level, WIDEST) for level in range(levels)]
        self.encoder = nn.Sequential(*_stack(nn.Conv2d, [1, *widths]))
        self.bottleneck = _pointwise(widths[-1], code) if spatial else _linear(widths[-1], code)
        up = _stack(nn.ConvTranspose2d, [*widths[::-1], widths[0]], output_padding=1)
        self.decoder = nn.Sequential(*up, nn.Conv2d(widths[0], 1, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        """Reconstruct `x`, (n, 1, S, S) in [0, 1]; the result is not bounded."""
        return self.decoder(self.bottleneck(self.encoder(x))).float()


def _stack(convolution: type[nn.Module], channels: list[int], **options: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for inputs, outputs in zip(channels, channels[1:], strict=False):
        layers.append(convolution(inputs, outputs, 3, stride=2, padding=1, bias=False, **options))
        layers += [nn.BatchNorm2d(outputs), nn.LeakyReLU(inplace=True)]
    return layers


def _linear(width: int, code: int) -> nn.Sequential:
    maps = (width, LAST, LAST)
    flat = width * LAST**2
    return nn.Sequential(
        nn.Flatten(), nn.Linear(flat, code, bias=False), nn.Linear(code, flat, bias=False), nn.Unflatten(1, maps)
    )


def _pointwise(width: int, code: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(width, code, 1, bias=False), nn.Conv2d(code, width, 1, bias=False))
