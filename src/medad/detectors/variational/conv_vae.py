"""The VAE of the MOOD challenge's baseline: convolutions only."""

import torch
from torch import Tensor, nn

from medad.networks.autoencoder import LARGEST_BOTTLENECK
from medad.networks.vae import kl_divergence, sampled


class ConvVAE(nn.Module):
    """VAE of stride-2 convolutions, 3 x 3, those back 4 x 4, with LeakyReLU; no biases, no normalisation.

    Parameters
    ----------
    size : int
        Side S of the images. Above 128, levels as wide as the last are added until the bottleneck is at most 8 x 8.
    channels : int
        1 (grey) or 3 (RGB).
    width : int
        Channels of the first level; each of the next three has four times as many (16-64-256-1024).
    latent : int
        Dimensions of the code.

    References
    ----------
    Zimmerer et al., MOOD challenge, MIC-DKFZ/mood.
    """

    def __init__(self, size: int = 64, channels: int = 1, width: int = 16, latent: int = 128) -> None:
        super().__init__()
        levels = [width * 4**i for i in range(4)]
        while size // 2 ** len(levels) > LARGEST_BOTTLENECK:
            levels.append(levels[-1])
        side = size // 2 ** len(levels)
        self.encoder = nn.Sequential(
            *_levels(nn.Conv2d, [channels, *levels], 3),
            nn.Conv2d(levels[-1], 2 * latent, side, bias=False),
            nn.Flatten(),
        )
        self.decoder = nn.Sequential(
            nn.Unflatten(1, (latent, 1, 1)),
            nn.ConvTranspose2d(latent, levels[-1], side, bias=False),
            nn.LeakyReLU(inplace=True),
            *_levels(nn.ConvTranspose2d, [*levels[::-1], channels], 4)[:-1],
        )

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance of the codes of `x`, (n, latent) each, fp32; the network gives log sigma."""
        mu, log_sigma = self.encoder(x).float().chunk(2, dim=1)
        return mu, 2 * log_sigma

    def decode(self, z: Tensor) -> Tensor:
        """Return what the codes `z` stand for, (n, C, S, S), unbounded, fp32."""
        return self.decoder(z).float()

    def context_loss(self, x: Tensor, corrupted: Tensor, noise: Tensor, kl_weight: float) -> Tensor:
        """Return half the loss of the VAE plus half that of the context encoder.

        0.5 * (mean |x - x_hat| + `kl_weight` * mean KL) + 0.5 * mean |x - decode(corrupted)|.

        Parameters
        ----------
        x, corrupted : Tensor
            (n, C, S, S) in [-1, 1]: the images, and the same with parts overwritten.
        noise : Tensor
            (n, 2, latent): samples the codes of both.
        kl_weight : float
            Of the mean KL divergence of the intact images.
        """
        codes = [self.posterior(x), self.posterior(corrupted)]
        outs = [self.decode(sampled(*code, noise[:, i])) for i, code in enumerate(codes)]
        errors = torch.stack([(x - out).abs().mean() for out in outs])
        return errors.mean() + 0.5 * kl_weight * kl_divergence(*codes[0]).mean()


def _levels(convolution: type[nn.Module], channels: list[int], kernel: int) -> list[nn.Module]:
    """Stride-2 convolutions, each followed by LeakyReLU."""
    layers: list[nn.Module] = []
    for a, b in zip(channels, channels[1:], strict=False):
        layers += [convolution(a, b, kernel, stride=2, padding=1, bias=False), nn.LeakyReLU(inplace=True)]
    return layers
