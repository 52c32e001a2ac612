"""Parameter counts, shapes and losses of the autoencoders against the spec and hand-made values."""

import pytest
import torch
from torch import nn

from medad.networks.autoencoder import AE, AEU, BACKBONES, MemAE
from medad.networks.memory import Memory
from medad.networks.vae import VAE


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("network", "count"),
    [
        (lambda: AE(), 4_487_248),
        (lambda: AE(channels=3), 4_488_272),
        (lambda: AE(size=128), 17_073_232),
        (lambda: MemAE(), 4_487_648),
        (lambda: AEU(), 4_487_504),
    ],
)
def test_parameter_counts_of_the_published_networks(network, count):
    assert parameters(network()) == count


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("size", [64, 128, 256])
@pytest.mark.parametrize("channels", [1, 3])
def test_reconstruction_has_the_shape_of_the_input(backbone, size, channels):
    x = torch.rand(2, channels, size, size)
    out = BACKBONES[backbone](size, channels, hidden=8)(x)
    assert out.mean.shape == x.shape
    assert (out.log_variance is not None) == (backbone == "aeu")


@pytest.mark.parametrize("make", [AE, MemAE, AEU, VAE])
def test_biases_that_a_batch_norm_takes_away_are_not_trained(make):
    torch.manual_seed(0)
    network, x = make(hidden=8), torch.rand(6, 1, 64, 64)
    still = {name: p for name, p in network.named_parameters() if not p.requires_grad}
    assert still.keys() == {"linear_enc.0.bias", "linear_dec.0.bias"}
    before = network(x).mean
    with torch.no_grad():
        for bias in still.values():
            bias += torch.randn_like(bias)
    torch.testing.assert_close(network(x).mean, before, rtol=0, atol=1e-3)


def test_bottleneck_stays_small_at_256():
    assert AE(256, hidden=8).code == (64, 8, 8)


def test_ae_loss_is_the_mean_squared_error():
    network, x = AE(hidden=8).eval(), torch.rand(3, 1, 64, 64)
    torch.testing.assert_close(network.loss(x), nn.functional.mse_loss(network(x).mean, x))


def test_aeu_loss_is_the_gaussian_likelihood():
    network, x = AEU(hidden=8).eval(), torch.rand(3, 1, 64, 64)
    mean, s, _ = network(x)
    likelihood = 2 * nn.functional.gaussian_nll_loss(mean, x, s.exp(), eps=1e-12)
    torch.testing.assert_close(network.loss(x), likelihood)


def test_aeu_clamps_the_log_variance():
    network = AEU(hidden=8).eval()
    with torch.no_grad():
        network.decoder[-1].weight.fill_(1e6)
    s = network(torch.rand(2, 1, 64, 64)).log_variance
    assert s.abs().max() == 10


def test_memae_loss_adds_the_entropy_of_the_weights():
    network, x = MemAE(hidden=8).eval(), torch.rand(3, 1, 64, 64)
    out = network(x)
    entropy = torch.distributions.Categorical(probs=out.weights).entropy().mean()
    torch.testing.assert_close(network.loss(x), nn.functional.mse_loss(out.mean, x) + 0.0002 * entropy)


@pytest.mark.parametrize("shrink", [0.0, 0.0025, 0.04])
def test_memory_weights_sum_to_one(shrink):
    z = 5 * torch.randn(7, 16)
    read, weights = Memory(25, 16, shrink)(z)
    assert read.shape == (7, 16)
    torch.testing.assert_close(weights.sum(1), torch.ones(7))
    assert (weights >= 0).all()


def test_memory_shrinks_small_weights_to_zero():
    memory = Memory(3, 2, shrink=0.3)
    with torch.no_grad():
        memory.memory.weight.copy_(torch.tensor([[1.0, 0], [0.9, 0], [-9.0, 0]]))
    _, weights = memory(torch.tensor([[1.0, 0.0]]))
    assert weights[0, 2] == 0
    assert weights[0, :2].min() > 0.3


def test_memory_starts_within_its_bound():
    weight = Memory(25, 16, 0.0).memory.weight
    assert weight.shape == (25, 16)
    assert weight.abs().max() <= 0.25
    assert weight.abs().max() > 0.2
