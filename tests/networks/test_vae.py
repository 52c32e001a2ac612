"""The VAE against torch.distributions and counts by hand."""

import math

import pytest
import torch
from torch.distributions import Normal
from torch.distributions import kl_divergence as exact_kl

from medad.networks.vae import VAE, kl_divergence, sampled


def draw_posterior() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, 5, 16, generator=generator).unbind()


def test_parameter_count_is_that_of_the_ae_and_a_second_half_of_the_code():
    assert sum(p.numel() for p in VAE().parameters()) == 2_351_184 + 16 * 1024 + 16


def test_kl_is_the_mean_over_the_code():
    mu, log_variance = draw_posterior()
    exact = exact_kl(Normal(mu, (log_variance / 2).exp()), Normal(0, 1)).mean(1)
    torch.testing.assert_close(kl_divergence(mu, log_variance), exact)


def test_samples_follow_the_posterior():
    mu, log_variance = draw_posterior()
    noise = torch.randn(5, 16, generator=torch.Generator().manual_seed(1))
    exact = Normal(mu, (log_variance / 2).exp())
    torch.testing.assert_close(exact.cdf(sampled(mu, log_variance, noise)), Normal(0, 1).cdf(noise))


@pytest.mark.parametrize(("size", "channels"), [(64, 1), (128, 3), (256, 1)])
def test_reconstruction_is_that_of_the_mean(size, channels):
    network, x = VAE(size, channels, hidden=8).eval(), torch.rand(2, channels, size, size)
    mu, log_variance = network.posterior(x)
    assert mu.shape == log_variance.shape == (2, 16)
    out = network(x).mean
    assert out.shape == x.shape
    torch.testing.assert_close(out, network.decode(mu))


def test_loss_is_the_elbo_with_summed_terms():
    """2 / n (-log p(x | z) + beta KL), but for the constant of the Gaussian."""
    network, x, beta = VAE(hidden=8).eval(), torch.rand(3, 1, 64, 64), 0.64
    noise = torch.randn(3, 16)
    mu, log_variance = network.posterior(x)
    posterior = Normal(mu, (log_variance / 2).exp())
    likelihood = Normal(network.decode(mu + posterior.scale * noise), 1).log_prob(x).sum((1, 2, 3))
    likelihood += 4096 * math.log(2 * math.pi) / 2
    elbo = likelihood - beta * exact_kl(posterior, Normal(0, 1)).sum(1)
    torch.testing.assert_close(network.negative_elbo(x, noise, 0.005), -2 / 4096 * elbo.mean())
