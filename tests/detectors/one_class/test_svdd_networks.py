"""The networks of Deep SVDD against the published ones in plain operations."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from medad.detectors.one_class.svdd_networks import SVDD, ContrastScaling, SVDDAutoencoder, off_zero


def randomised(network: nn.Module) -> nn.Module:
    """Fill all running statistics, so that none is without effect."""
    for name, tensor in network.state_dict().items():
        if "running" in name:
            tensor.uniform_(0.5, 1.5)
    return network.eval()


def normed(x: torch.Tensor, norm: nn.Module) -> torch.Tensor:
    return F.batch_norm(x, norm.running_mean, norm.running_var, eps=1e-4)


def layers(network: nn.Module, kind: type[nn.Module]) -> list[nn.Module]:
    return [module for module in network.modules() if isinstance(module, kind)]


@pytest.mark.parametrize(("size", "channels", "count"), [(32, 3, 520_544), (64, 1, 1_305_376), (128, 1, 1_714_976)])
def test_parameter_counts(size, channels, count):
    assert sum(p.numel() for p in SVDD(size, channels).parameters()) == count


def test_nothing_has_a_bias():
    network = SVDDAutoencoder(SVDD())
    assert all(name.endswith("weight") for name, _ in network.named_parameters())
    assert not [norm for norm in layers(network, (nn.BatchNorm1d, nn.BatchNorm2d)) if norm.affine]


@pytest.mark.parametrize("size", [32, 64])
def test_the_encoder_is_the_published_one(size):
    network = randomised(SVDD(size, 3, width=4, latent=16))
    expected = x = torch.rand(2, 3, size, size)
    for conv, norm in zip(layers(network, nn.Conv2d), layers(network, nn.BatchNorm2d), strict=True):
        expected = F.max_pool2d(F.leaky_relu(normed(F.conv2d(expected, conv.weight, padding=2), norm)), 2)
    assert expected.shape == (2, 16, size // 8, size // 8)
    torch.testing.assert_close(network.embed(x), expected.flatten(1) @ network.linear.weight.T)


def test_the_decoder_is_the_published_one():
    network = randomised(SVDDAutoencoder(SVDD(32, 3, width=4), 3))
    codes = torch.randn(2, 128)
    x = F.leaky_relu(F.batch_norm(codes, network.norm.running_mean, network.norm.running_var, eps=1e-4))
    x = x.view(2, 8, 4, 4)
    *convs, last = layers(network.decoder, nn.Conv2d)
    for conv, norm in zip(convs, layers(network.decoder, nn.BatchNorm2d), strict=True):
        x = F.conv_transpose2d(x, conv.weight.flip(2, 3).transpose(0, 1), padding=2)
        x = F.interpolate(F.leaky_relu(normed(x, norm)), scale_factor=2)
    expected = F.conv_transpose2d(x, last.weight.flip(2, 3).transpose(0, 1), padding=2).sigmoid()
    torch.testing.assert_close(network.decode(codes), expected)


@pytest.mark.parametrize("size", [32, 64, 80, 128])
def test_decoded_images_have_the_size_of_the_input(size):
    network, x = SVDDAutoencoder(SVDD(size, 1, width=2)), torch.rand(2, 1, size, size)
    assert network.svdd.side <= 8
    assert network.decode(network.svdd.embed(x)).shape == x.shape


def test_the_start_of_the_weights():
    conv = SVDD().encoder[4]
    gain = (2 / (1 + 0.01**2)) ** 0.5
    assert conv.weight.abs().max().item() == pytest.approx(gain * (6 / (25 * (32 + 64))) ** 0.5, rel=0.01)


def test_contrast_is_normalised_and_training_images_fill_the_unit_interval():
    x = torch.rand(6, 3, 16, 16) * 2 - 1
    scaling = ContrastScaling()
    scaling.fit(x.split(4))
    pixels = x.double().numpy()
    centred = pixels - pixels.mean((1, 2, 3), keepdims=True)
    normalised = centred / np.abs(centred).mean((1, 2, 3), keepdims=True)
    expected = (normalised - normalised.min()) / (normalised.max() - normalised.min())
    np.testing.assert_allclose(scaling(x).numpy(), expected, atol=1e-5)
    torch.testing.assert_close(scaling(0.3 * x - 0.1), scaling(x))


def test_images_without_contrast_become_flat_ones():
    scaling = ContrastScaling()
    flat = torch.tensor([-1.0, 0.1, 1.0]).view(3, 1, 1, 1).expand(3, 3, 20, 20)
    scaling.fit([torch.rand(2, 3, 20, 20)])
    assert len(scaling(flat).unique()) == 1
    scaling.fit([flat])
    assert not scaling(flat).any()
    assert scaling(torch.rand(2, 3, 20, 20)).isfinite().all()


def test_no_coordinate_of_a_centre_is_near_zero():
    centre = off_zero(torch.tensor([0.02, -0.06, 0.0, 0.6, -0.4, 0.1, -0.1]))
    torch.testing.assert_close(centre, torch.tensor([0.1, -0.1, 0.1, 0.6, -0.4, 0.1, -0.1]))


def test_one_class_loss_is_the_mean_squared_distance():
    network, x = randomised(SVDD(width=2, latent=16)), torch.rand(5, 1, 64, 64)
    network.centre.fill_(0.3)
    codes = network.embed(network.scaling(x)).detach().numpy()
    distances = ((codes - 0.3) ** 2).sum(1)
    np.testing.assert_allclose(network(x).detach(), distances, rtol=1e-5)
    np.testing.assert_allclose(network.loss(x).item(), distances.mean(), rtol=1e-5)
    np.testing.assert_allclose(network.score(x).detach(), distances, rtol=1e-5)


@pytest.mark.parametrize("fits", [False, True])
def test_soft_boundary(fits):
    network, x = randomised(SVDD(width=2, latent=16, nu=0.3)), torch.rand(9, 1, 64, 64)
    network.centre.fill_(0.3)
    distances = network(x).detach().double().numpy()
    radius = float(np.sqrt(np.median(distances)))
    network.radius.fill_(radius)
    network.fits_radius.fill_(fits)
    expected = radius**2 + np.maximum(0, distances - radius**2).mean() / 0.3
    loss = network.loss(x)
    np.testing.assert_allclose(loss.item(), expected, rtol=1e-5)
    reset = np.quantile(np.sqrt(distances), 0.7) if fits else radius
    np.testing.assert_allclose(network.radius, reset, rtol=1e-5)
    np.testing.assert_allclose(network.score(x).detach(), distances - reset**2, rtol=1e-4, atol=1e-5)
    loss.backward()
    assert network.linear.weight.grad.any()
