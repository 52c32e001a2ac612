"""VQ-VAE-2: two levels of quantised features (Razavi et al., NeurIPS 2019)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from medad.networks.quantiser import EMAQuantiser

BLOCKS = 2  # residual blocks of each encoder and decoder
COMMITMENT = 0.25


class Residual(nn.Module):
    """Residual block: ReLU, 3 x 3 convolution to a quarter of the channels, ReLU, 1 x 1 convolution back.

    Parameters
    ----------
    channels : int
        Of the input and of the output.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(channels // 4, 1)
        self.body = nn.Sequential(
            nn.ReLU(), nn.Conv2d(channels, inner, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(inner, channels, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, channels, h, w) for the same."""
        return x + self.body(x)


class VQVAE2(nn.Module):
    """Autoencoder with codes at a quarter and, of what these are given, at an eighth of the resolution.

    Parameters
    ----------
    channels : int
        1 (grey) or 3 (RGB).
    hidden : int
        Channels of encoders and decoders.
    latent : int
        Length of the codebooks' vectors.
    codes : int
        Size of each codebook.
    """

    def __init__(self, channels: int = 1, hidden: int = 128, latent: int = 64, codes: int = 512) -> None:
        super().__init__()
        half = max(hidden // 2, 1)
        self.bottom_encoder = nn.Sequential(
            *_down(channels, half), *_down(half, hidden), nn.Conv2d(hidden, hidden, 3, padding=1), *_residual(hidden)
        )
        self.top_encoder = nn.Sequential(
            *_down(hidden, half), nn.Conv2d(half, hidden, 3, padding=1), *_residual(hidden)
        )
        self.to_top = nn.Conv2d(hidden, latent, 1)
        self.top_quantiser = EMAQuantiser(codes, latent)
        self.top_decoder = nn.Sequential(
            nn.Conv2d(latent, hidden, 3, padding=1), *_residual(hidden), nn.ConvTranspose2d(hidden, latent, 4, 2, 1)
        )
        self.to_bottom = nn.Conv2d(latent + hidden, latent, 1)
        self.bottom_quantiser = EMAQuantiser(codes, latent)
        self.top_up = nn.ConvTranspose2d(latent, latent, 4, 2, 1)
        self.decoder = nn.Sequential(
            nn.Conv2d(2 * latent, hidden, 3, padding=1),
            *_residual(hidden),
            nn.ConvTranspose2d(hidden, half, 4, 2, 1),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(half, channels, 4, 2, 1),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the reconstruction of `x`, (n, C, S, S) in [-1, 1], and the sum of both levels' commitments."""
        features = self.bottom_encoder(x)
        top = self.top_quantiser(self.to_top(self.top_encoder(features)))
        features = torch.cat([self.top_decoder(top.values), features], 1)
        bottom = self.bottom_quantiser(self.to_bottom(features))
        reconstruction = self.decoder(torch.cat([self.top_up(top.values), bottom.values], 1))
        return reconstruction.float(), top.loss + bottom.loss

    def loss(self, x: Tensor) -> Tensor:
        """Mean squared error + 0.25 * commitments."""
        reconstruction, commitment = self(x)
        return F.mse_loss(reconstruction, x) + COMMITMENT * commitment


def _down(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), nn.ReLU(inplace=True)]


def _residual(channels: int) -> list[nn.Module]:
    return [*(Residual(channels) for _ in range(BLOCKS)), nn.ReLU(inplace=True)]
