"""The networks and scores of IGD against numbers and a few lines of numpy."""

import numpy as np
import pytest
import torch
from torch import nn

from medad.detectors.one_class.igd_networks import IGDCritic, IGDGenerator, dissimilarity
from medad.networks.resnet import FrozenResNet18
from medad.networks.ssim import ms_ssim


def convolutions(network: nn.Module) -> list[tuple[int, ...]]:
    """Return input and output channels, kernel and stride of all convolutions but those of shortcuts."""
    return [
        (m.in_channels, m.out_channels, m.kernel_size[0], m.stride[0])
        for name, m in network.named_modules()
        if isinstance(m, nn.Conv2d) and "shortcut" not in name
    ]


def three(*channels: int) -> list[tuple[int, ...]]:
    return [(a, b, 3, 1) for a, b in zip(channels, channels[1:], strict=False)]


def test_networks_of_256_pixels_are_the_published_ones():
    with torch.device("meta"):
        generator, critic = IGDGenerator(256, 3, encoder="resnet18"), IGDCritic(256, 3)
    assert convolutions(generator.trunk) == three(512, 512, 512, 512, 256, 256, 128, 128, 64, 64, 3)
    downs = three(64, 64, 128, 128, 256, 256, 512, 512, 512)
    assert convolutions(critic) == [(3, 64, 5, 2), *downs, (512, 512, 3, 2)]
    assert (generator.to_code.in_features, generator.to_code.out_features) == (512, 128)
    assert (generator.from_code.out_features, critic.out.in_features) == (512 * 16, 512 * 16)


def test_at_64_two_stages_are_dropped():
    with torch.device("meta"):
        generator, critic = IGDGenerator(), IGDCritic()
    assert convolutions(generator.trunk) == three(512, 256, 256, 128, 128, 64, 64, 1)
    assert convolutions(critic) == [(1, 64, 5, 2), *three(64, 64, 128, 128, 256, 256, 512)]
    assert convolutions(generator.features) == convolutions(critic)
    norms = [type(m) for m in generator.features.modules() if isinstance(m, nn.BatchNorm2d | nn.GroupNorm)]
    assert norms == 6 * [nn.BatchNorm2d]
    assert not [m for m in critic.modules() if isinstance(m, nn.BatchNorm2d)]


@pytest.mark.parametrize("encoder", ["scratch", "resnet18"])
@pytest.mark.parametrize(("size", "channels"), [(32, 1), (48, 1), (64, 3), (80, 1), (128, 1), (160, 1), (256, 3)])
def test_shapes(size, channels, encoder):
    generator, x = IGDGenerator(size, channels, 1, 8, encoder), torch.rand(2, channels, size, size)
    z = generator.encode(x)
    assert z.shape == (2, 8)
    assert 4 <= generator.shape[-1] < 8
    assert generator.decode(z).shape == x.shape
    assert IGDCritic(size, channels, 1)(x).shape == (2,)


def test_only_a_linear_layer_learns_before_the_code_of_resnet18():
    generator = IGDGenerator(64, 1, 1, 8, "resnet18").train()
    assert all(p.requires_grad for p in generator.trained.parameters())
    learned = {id(p) for p in generator.trained.parameters()}
    assert {id(p) for p in generator.parameters()} - learned == {id(p) for p in generator.features.parameters()}
    assert isinstance(generator.features, FrozenResNet18)
    assert not generator.features.training
    scratch = IGDGenerator(64, 1, 1, 8)
    assert len(list(scratch.trained.parameters())) == len(list(scratch.parameters()))


@pytest.mark.parametrize(("spread", "floored"), [(0.05, True), (3.0, False)])
def test_the_gaussian_and_its_surprise(spread, floored):
    codes = spread * torch.randn(40, 4) + torch.tensor([2.0, -2.0, 0.03, -0.03])
    generator = IGDGenerator(32, 1, 1, 4)
    generator.place_gaussian(codes)
    z = codes.double().numpy()
    mean = z.mean(0)
    centre = np.where(np.abs(mean) < 0.1, np.copysign(0.1, mean), mean)
    squares = ((z - centre) ** 2).sum(1)
    sigma = max(squares.mean(), 1)
    assert (sigma == 1) == floored
    np.testing.assert_allclose(generator.centre, centre, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(generator.sigma, sigma, rtol=1e-4)
    np.testing.assert_allclose(generator.surprise(codes), 1 - np.exp(-squares / sigma), rtol=1e-3, atol=1e-6)


FOUR, FIVE = (0.0516, 0.3295, 0.3463, 0.2726), (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


@pytest.mark.parametrize(
    ("size", "weights", "window"), [(32, FOUR, 3), (64, FOUR, 7), (160, FOUR, 7), (192, FIVE, 11), (256, FIVE, 11)]
)
def test_dissimilarity(size, weights, window):
    x = torch.rand(3, 1, size, size) * 2 - 1
    y = (x + 0.3 * torch.randn_like(x)) * torch.tensor([0.0, 0.5, 1.5]).view(3, 1, 1, 1)
    similarity = ms_ssim((x + 1) / 2, (y + 1) / 2, weights, window)
    l1 = np.abs((x - y).numpy()).mean((1, 2, 3)) / 2
    np.testing.assert_allclose(dissimilarity(x, y), 0.85 * (1 - similarity.numpy()) + 0.15 * l1, rtol=1e-5)
    assert dissimilarity(x, x).abs().max() < 1e-6
