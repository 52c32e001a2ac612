"""The autoencoder of SSIM-AE (Bergmann et al., VISAPP 2019, table 1)."""

from torch import Tensor, nn

SMALLEST_MAP = 8  # side of the map from which the code is made


class SSIMAE(nn.Module):
    """Convolutions down to 8 x 8 and one of 8 x 8 to the code; mirrored. LeakyReLU 0.2, no batch norm.

    Parameters
    ----------
    side : int
        Of the images: 8 times a power of 2, at least 32. 128 has the paper's layers; every halving takes the first
        of the convolutions with stride 2 away, every doubling adds one.
    channels : int
        1 (grey) or 3 (RGB).
    width : int
        Channels of the first layers; there are up to 4 times as many.
    latent : int
        Size of the code.
    """

    def __init__(self, side: int = 128, channels: int = 1, width: int = 32, latent: int = 100) -> None:
        super().__init__()
        halvings = (side // SMALLEST_MAP).bit_length() - 1
        layers = [(width, 4)] * (halvings - 2)  # channels, kernel; kernels of 4 halve the side
        layers += [(width, 3), (2 * width, 4), (2 * width, 3), (4 * width, 4), (2 * width, 3), (width, 3)]
        inputs = [channels, *(outputs for outputs, _ in layers[:-1])]
        steps = [(a, b, kernel) for a, (b, kernel) in zip(inputs, layers, strict=True)]
        down = [_convolution(*step) for step in steps]
        up = [_mirrored(*step) for step in reversed(steps)]
        self.encoder = nn.Sequential(*_activated(down), nn.Conv2d(width, latent, SMALLEST_MAP))
        self.decoder = nn.Sequential(*_activated([nn.ConvTranspose2d(latent, width, SMALLEST_MAP), *up])[:-1])

    def forward(self, x: Tensor) -> Tensor:
        """Reconstruct `x`, (n, C, side, side) in [0, 1], in that range, fp32."""
        return self.decoder(self.encoder(x)).float().sigmoid()


def _convolution(inputs: int, outputs: int, kernel: int) -> nn.Module:
    return nn.Conv2d(inputs, outputs, kernel, stride=kernel - 2, padding=1)


def _mirrored(inputs: int, outputs: int, kernel: int) -> nn.Module:
    """Return the layer of the decoder that undoes one of `inputs` and `outputs` channels."""
    return nn.ConvTranspose2d(outputs, inputs, kernel, stride=kernel - 2, padding=1)


def _activated(layers: list[nn.Module]) -> list[nn.Module]:
    """Return the layers with a LeakyReLU after each."""
    return [part for layer in layers for part in (layer, nn.LeakyReLU(0.2, inplace=True))]
