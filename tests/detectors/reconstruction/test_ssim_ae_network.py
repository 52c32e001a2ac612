"""SSIM-AE's network layer by layer against the table of the paper."""

import pytest
import torch
from torch import nn

from medad.detectors.reconstruction.ssim_ae_network import SSIMAE

# (kernel, stride, channels): Bergmann et al., table 1
TABLE = [(4, 2, 32), (4, 2, 32), (3, 1, 32), (4, 2, 64), (3, 1, 64), (4, 2, 128), (3, 1, 64), (3, 1, 32), (8, 1, 100)]


def layers(network: nn.Module) -> list[tuple[int, int, int]]:
    return [(m.kernel_size[0], m.stride[0], m.out_channels) for m in network if hasattr(m, "kernel_size")]


def test_layers_are_those_of_the_table_and_mirrored():
    network = SSIMAE()
    assert layers(network.encoder) == TABLE
    channels = [32, 64, 128, 64, 64, 32, 32, 32, 1]
    assert layers(network.decoder) == [(k, s, c) for (k, s, _), c in zip(TABLE[::-1], channels, strict=True)]
    assert sum(p.numel() for p in network.parameters()) == 524_324 + 524_225
    assert network.encoder(torch.rand(2, 1, 128, 128)).shape == (2, 100, 1, 1)


def test_a_size_is_a_layer():
    assert layers(SSIMAE(64).encoder) == TABLE[1:]
    assert layers(SSIMAE(256).encoder) == [TABLE[0], *TABLE]


def test_all_hidden_layers_are_leaky_and_the_code_is_linear():
    network = SSIMAE()
    for part, last in ((network.encoder, 17), (network.decoder, 17)):
        slopes = [m.negative_slope for m in part if isinstance(m, nn.LeakyReLU)]
        assert slopes == [0.2] * 8
        assert len(part) == last
        assert not isinstance(part[-1], nn.LeakyReLU)


@pytest.mark.parametrize("side", [32, 64, 128, 256])
@pytest.mark.parametrize("channels", [1, 3])
def test_reconstruction_has_the_shape_and_range_of_the_input(side, channels):
    network, x = SSIMAE(side, channels, width=2, latent=4), torch.rand(2, channels, side, side)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(30)
    y = network(x)
    assert y.shape == x.shape
    assert y.min() >= 0
    assert y.max() <= 1
    assert y.max() - y.min() > 0.5
