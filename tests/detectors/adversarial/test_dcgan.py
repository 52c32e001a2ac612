"""The DCGAN (Radford et al. 2016), counted by hand."""

import pytest
import torch
from torch import nn

from medad.detectors.adversarial.dcgan import Discriminator, Generator


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("channels", [1, 3])
def test_parameter_counts(channels):
    middle = 16 * (512 * 256 + 256 * 128 + 128 * 64 + 64 * channels)
    assert parameters(Generator(64, channels)) == 16 * 100 * 512 + middle + 2 * (512 + 256 + 128 + 64)
    assert parameters(Discriminator(64, channels)) == middle + 16 * 512 + 2 * (128 + 256 + 512)


def test_sides_and_channels_at_64_pixels():
    seen = []
    generator = Generator(64)
    for layer in generator:
        layer.register_forward_hook(lambda layer, _, y: seen.append(tuple(y.shape[1:])))
    x = generator(torch.randn(2, 100))
    convolved = [s for s, layer in zip(seen, generator, strict=True) if isinstance(layer, nn.ConvTranspose2d)]
    assert convolved == [(512, 4, 4), (256, 8, 8), (128, 16, 16), (64, 32, 32), (1, 64, 64)]
    assert Discriminator(64).features(x).shape == (2, 512, 4, 4)
    kinds = [type(layer).__name__ for layer in Discriminator(64).features]
    assert kinds == ["Conv2d", "LeakyReLU"] + 3 * ["Conv2d", "BatchNorm2d", "LeakyReLU"]


@pytest.mark.parametrize("size", [48, 64, 128, 256])
@pytest.mark.parametrize("channels", [1, 3])
def test_shapes_and_ranges(size, channels):
    generator, discriminator = Generator(size, channels, 1, 5), Discriminator(size, channels, 1)
    x = generator(10 * torch.randn(2, 5))
    assert x.shape == (2, channels, size, size)
    assert x.abs().max() <= 1
    assert discriminator(x).shape == (2,)


def test_the_start_of_the_weights():
    generator = Generator(64)
    assert generator[4].weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert generator[2].weight.mean().item() == pytest.approx(1, abs=0.01)
    assert Discriminator(64, width=16).features[2].weight.std().item() == pytest.approx(0.04, rel=0.05)
