"""GANomaly's networks, layer by layer, against the spec."""

import pytest
import torch
from torch import nn

from medad.detectors.adversarial.ganomaly_networks import medianomaly_networks, official_networks, with_own_statistics
from medad.networks.folding import folded


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("channels", [1, 3])
def test_parameter_counts_of_the_official_form(channels):
    trunk = 16 * (channels * 64 + 64 * 128 + 128 * 256 + 256 * 512) + 2 * (128 + 256 + 512)
    decoder = 16 * (100 * 512 + 512 * 256 + 256 * 128 + 128 * 64 + 64 * channels) + 2 * (512 + 256 + 128 + 64)
    generator, discriminator = official_networks(64, channels, 64, 100)
    assert parameters(generator.encoder1) == parameters(generator.encoder2) == trunk + 16 * 512 * 100
    assert parameters(generator.decoder) == decoder
    assert parameters(discriminator) == trunk + 16 * 512


def test_parameter_counts_of_medianomaly_s_form():
    trunk = 16 * (16 + 16 * 32 + 32 * 64 + 64 * 64) + 2 * (16 + 32 + 64 + 64)
    up = 16 * (64 * 64 + 64 * 32 + 32 * 16 + 16) + 2 * (64 + 32 + 16)
    generator, discriminator = medianomaly_networks(64, 1, 16, 1024, 16)
    assert parameters(generator.encoder1) == trunk + 1025 * 1024 + 1025 * 16
    assert parameters(generator.decoder) == up + 17 * 1024 + 1025 * 1024
    assert parameters(discriminator) == trunk + 1025 * 1024 + 1025
    for network in (generator, discriminator):
        assert not any(isinstance(m, nn.BatchNorm1d) for m in network.modules())
        assert all(p.requires_grad for p in network.parameters())


def test_features_are_those_before_the_last_layer():
    x = torch.rand(2, 1, 64, 64)
    _, official = official_networks(64, 1, 64, 100)
    assert official.features(x).shape == (2, 512, 4, 4)
    _, other = medianomaly_networks(64, 1, 16, 1024, 16)
    assert other.features(x).shape == (2, 1024)
    assert (other.features(x) >= 0).all()  # after the ReLU


@pytest.mark.parametrize(("size", "channels"), [(64, 1), (64, 3), (128, 1), (256, 1), (96, 1), (160, 1)])
def test_shapes(size, channels):
    x = torch.rand(2, channels, size, size)
    for generator, discriminator in (
        official_networks(size, channels, 4, 10),
        medianomaly_networks(size, channels, 16, 8, 10),
    ):
        out = generator(x)
        assert out.mean.shape == x.shape
        assert out.z.shape == out.z_hat.shape == (2, 10)
        assert discriminator(x).shape == (2,)


def test_the_official_reconstruction_is_bounded_and_has_no_biases():
    generator, discriminator = official_networks(64, 1, 8, 10)
    with torch.no_grad():
        generator.decoder[-2].weight.mul_(1e6)
    assert generator(torch.rand(2, 1, 64, 64)).mean.abs().max() == 1
    for network in (generator, discriminator):
        convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
        assert all(layer.bias is None for layer in convolutions)
    assert not isinstance(generator.encoder1[1], nn.BatchNorm2d)
    assert isinstance(generator.encoder1[3], nn.BatchNorm2d)


def test_initial_weights_of_the_official_form():
    for network in official_networks(64, 1, 64, 100):
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                assert layer.weight.std().item() == pytest.approx(0.02, rel=0.1)
            if isinstance(layer, nn.BatchNorm2d):
                assert layer.weight.mean().item() == pytest.approx(1, abs=0.01)
                assert layer.weight.std().item() == pytest.approx(0.02, rel=0.4)
                assert not layer.bias.any()


@pytest.mark.parametrize("make", [official_networks, lambda *a: medianomaly_networks(64, 1, 16, 8, 10)])
def test_what_scores_computes_what_was_trained(make):
    generator, _ = make(64, 1, 8, 10)
    x = torch.rand(3, 1, 64, 64)
    for _ in range(3):
        generator(torch.rand(8, 1, 64, 64))
    for one, other in zip(folded(generator)(x), generator.eval()(x), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_own_statistics_are_those_of_a_batch_of_one():
    generator, _ = official_networks(64, 1, 8, 10)
    x = torch.rand(3, 1, 64, 64)
    alone = [generator(x[i : i + 1]) for i in range(3)]  # in training mode
    expected = [torch.cat(parts) for parts in zip(*alone, strict=True)]
    own = with_own_statistics(generator).eval()
    for one, other in zip(own(x), expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
