"""The networks of VQ-VAE and VQ-VAE-2: sizes and losses."""

import pytest
import torch
from torch.nn import functional as F

from medad.detectors.codebook.vqvae2_network import VQVAE2
from medad.detectors.codebook.vqvae_network import VQVAE
from medad.networks.folding import folded


def parameters(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def conv(inputs: int, outputs: int, kernel: int) -> int:
    return inputs * outputs * kernel**2 + outputs


def gated(c: int) -> int:
    return 2 * c + conv(c, c, 3) + conv(c, 2 * c, 3) + 4 * c


@pytest.mark.parametrize("channels", [1, 3])
def test_vqvae_has_the_parameters_of_its_layers(channels):
    levels = [(16, 32), (32, 64), (64, 256)]
    encoder = conv(channels, 16, 7) + 32 + sum(2 * gated(a) + conv(a, b, 5) + 2 * b for a, b in levels) + gated(256)
    decoder = conv(256, 256, 3) + 512 + sum(2 * gated(b) + conv(b, a, 6) + 2 * a for a, b in levels)
    decoder += gated(16) + conv(16, channels, 1)
    assert parameters(VQVAE(channels)) == encoder + 128 * 256 + decoder


def test_vqvae2_has_the_parameters_of_its_layers():
    residual = 2 * (conv(128, 32, 3) + conv(32, 128, 1))
    bottom = conv(1, 64, 4) + conv(64, 128, 4) + conv(128, 128, 3) + residual
    top = conv(128, 64, 4) + conv(64, 128, 3) + residual
    bridge = conv(128, 64, 1) + conv(64, 128, 3) + residual + conv(128, 64, 4) + conv(192, 64, 1) + conv(64, 64, 4)
    decoder = conv(128, 128, 3) + residual + conv(128, 64, 4) + conv(64, 1, 4)
    network = VQVAE2()
    assert parameters(network) == bottom + top + bridge + decoder
    books = {name: tuple(value.shape) for name, value in network.named_buffers() if name.endswith("codebook")}
    assert books == {"top_quantiser.codebook": (512, 64), "bottom_quantiser.codebook": (512, 64)}


@pytest.mark.parametrize("size", [64, 128])
def test_codes_have_an_eighth_of_the_size(size):
    network = VQVAE(3, width=1, codes=8).eval()
    x = torch.rand(2, 3, size, size)
    codes = network.encode(x)
    assert codes.shape == (2, size // 8, size // 8)
    assert network.decode(codes).shape == x.shape


def test_codes_of_vqvae2_have_a_quarter_and_an_eighth_of_the_size():
    network, shapes = VQVAE2(1, hidden=8, latent=4, codes=8).eval(), []
    for quantiser in (network.bottom_quantiser, network.top_quantiser):
        quantiser.register_forward_hook(lambda module, given, out: shapes.append(tuple(out.codes.shape)))
    assert network(torch.rand(2, 1, 64, 64))[0].shape == (2, 1, 64, 64)
    assert shapes == [(2, 8, 8), (2, 16, 16)]  # the top first: the bottom is encoded given it


def test_vqvae_loss_is_residual_and_both_distances():
    network, x = VQVAE(1, width=1, codes=8).eval(), torch.rand(3, 1, 64, 64)
    codes, z = network.encode(x), network.encoder(x)
    e = network.quantiser.codebook[codes].movedim(-1, 1)
    expected = (x - network.decode(codes)).abs().mean() + 2 * (z - e).square().mean()
    torch.testing.assert_close(network.loss(x), expected)


def test_vqvae2_loss_is_squared_error_and_a_quarter_of_the_commitments():
    network, x = VQVAE2(1, hidden=8, latent=4, codes=8).eval(), torch.rand(3, 1, 64, 64)
    features = network.bottom_encoder(x)
    top = network.to_top(network.top_encoder(features))
    e_top = network.top_quantiser.look_up(network.top_quantiser.nearest(top))
    bottom = network.to_bottom(torch.cat([network.top_decoder(e_top), features], 1))
    e_bottom = network.bottom_quantiser.look_up(network.bottom_quantiser.nearest(bottom))
    reconstruction = network.decoder(torch.cat([network.top_up(e_top), e_bottom], 1))
    torch.testing.assert_close(network(x)[0], reconstruction)
    expected = F.mse_loss(reconstruction, x) + 0.25 * (F.mse_loss(top, e_top) + F.mse_loss(bottom, e_bottom))
    torch.testing.assert_close(network.loss(x), expected)


def test_folding_changes_nothing():
    network, x = VQVAE(1, width=2, codes=8), torch.rand(4, 1, 64, 64)
    for _ in range(3):
        network.encoder(x), network.decode(network.encode(x))  # for running statistics that do something
    network.eval()
    codes = network.encode(x)
    torch.testing.assert_close(folded(network).encoder(x), network.encoder(x), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(folded(network).decode(codes), network.decode(codes), atol=1e-4, rtol=1e-4)
