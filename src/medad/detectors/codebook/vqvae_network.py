"""The VQ-VAE of Naval Marimont and Tarroni (ISBI 2021)."""

from torch import Tensor, nn
from torch.nn import functional as F

from medad.networks.quantiser import GradientQuantiser

FACTORS = (1, 2, 4, 16)  # of the channels at full, half, quarter and eighth resolution
BLOCKS = 2  # gated residual blocks of a level
DROPOUT = 0.1


class GatedResidual(nn.Module):
    """Residual block: batch norm, ELU, 3 x 3 convolution, ELU, dropout of channels, 3 x 3 convolution, batch norm, GLU.

    Parameters
    ----------
    channels : int
        Of the input and of the output.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(channels),
            nn.ELU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.ELU(),
            nn.Dropout2d(DROPOUT),
            nn.Conv2d(channels, 2 * channels, 3, padding=1),
            nn.BatchNorm2d(2 * channels),
            nn.GLU(1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, channels, h, w) for the same."""
        return x + self.body(x)


class VQVAE(nn.Module):
    """Autoencoder between whose halves the features are quantised, at an eighth of the resolution.

    Parameters
    ----------
    channels : int
        1 (grey) or 3 (RGB).
    width : int
        Channels of the first level; the others have 2, 4 and 16 times as many.
    codes : int
        Size of the codebook, whose vectors have 16 `width` values.
    """

    shrinkage = 8

    def __init__(self, channels: int = 1, width: int = 16, codes: int = 128) -> None:
        super().__init__()
        widths = [width * factor for factor in FACTORS]
        self.encoder = nn.Sequential(
            *_normed(nn.Conv2d(channels, width, 7, padding=3)), *_down(widths), GatedResidual(widths[-1])
        )
        self.quantiser = GradientQuantiser(codes, widths[-1])
        self.decoder = nn.Sequential(
            *_normed(nn.Conv2d(widths[-1], widths[-1], 3, padding=1)),
            *_up(widths[::-1]),
            GatedResidual(width),
            nn.ELU(),
            nn.Conv2d(width, channels, 1),
        )

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes, (n, S / 8, S / 8), of images (n, C, S, S)."""
        return self.quantiser(self.encoder(x)).codes

    def decode(self, codes: Tensor) -> Tensor:
        """Return the images, (n, C, S, S), that `codes`, (n, S / 8, S / 8), stand for."""
        return self.decoder(self.quantiser.look_up(codes)).float()

    def loss(self, x: Tensor) -> Tensor:
        """Mean |x - reconstruction| + MSE(z, sg e) + MSE(e, sg z)."""
        values, _, distance = self.quantiser(self.encoder(x))
        return F.l1_loss(self.decoder(values).float(), x) + distance


def _normed(convolution: nn.Conv2d | nn.ConvTranspose2d) -> list[nn.Module]:
    return [convolution, nn.BatchNorm2d(convolution.out_channels)]


def _down(widths: list[int]) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for a, b in zip(widths, widths[1:], strict=False):
        layers += [GatedResidual(a) for _ in range(BLOCKS)]
        layers += _normed(nn.Conv2d(a, b, 5, stride=2, padding=2))
    return layers


def _up(widths: list[int]) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for a, b in zip(widths, widths[1:], strict=False):
        layers += [GatedResidual(a) for _ in range(BLOCKS)]
        layers += _normed(nn.ConvTranspose2d(a, b, 6, stride=2, padding=2))
    return layers
