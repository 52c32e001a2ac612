"""The VAE of MOOD's baseline: counts by hand, its two losses against plain torch."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence
from torch.nn import functional as F

from medad.detectors.variational.conv_vae import ConvVAE

PAIRS = 16 * 1 + 64 * 16 + 256 * 64 + 1024 * 256  # of channels, in the four levels


@pytest.mark.parametrize(("size", "side", "more"), [(64, 4, 0), (128, 8, 0), (256, 8, 1)])
def test_parameter_counts(size, side, more):
    codes = side**2 * 1024 * (2 * 128 + 128)
    kernels = (3 * 3 + 4 * 4) * (PAIRS + more * 1024**2)
    assert sum(p.numel() for p in ConvVAE(size).parameters()) == kernels + codes


@pytest.mark.parametrize("size", [64, 128, 256])
@pytest.mark.parametrize("channels", [1, 3])
def test_shapes(size, channels):
    network, x = ConvVAE(size, channels, width=1, latent=5), torch.rand(2, channels, size, size)
    mu, log_variance = network.posterior(x)
    assert mu.shape == log_variance.shape == (2, 5)
    assert network.decode(mu).shape == x.shape


def test_loss_is_half_a_vae_and_half_a_context_encoder():
    network, weight = ConvVAE(width=2, latent=5), 1e3  # the code of an untrained network says little
    x, corrupted, noise = torch.rand(3, 1, 64, 64), torch.rand(3, 1, 64, 64), torch.randn(3, 2, 5)

    def reconstruct(image: torch.Tensor, i: int) -> tuple[torch.Tensor, Normal]:
        mu, log_sigma = network.encoder(image).chunk(2, dim=1)
        return network.decoder(mu + log_sigma.exp() * noise[:, i]), Normal(mu, log_sigma.exp())

    out, posterior = reconstruct(x, 0)
    vae = F.l1_loss(out, x) + weight * kl_divergence(posterior, Normal(0, 1)).mean()
    context = F.l1_loss(reconstruct(corrupted, 1)[0], x)
    torch.testing.assert_close(network.context_loss(x, corrupted, noise, weight), 0.5 * vae + 0.5 * context)


def test_there_are_no_biases():
    mu, log_variance = ConvVAE(width=2).posterior(torch.zeros(1, 1, 64, 64))
    assert not mu.any()
    assert not log_variance.any()
