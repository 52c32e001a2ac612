"""Folded networks compute what the networks do, and each merged layer what the formula of batch norm says."""

import pytest
import torch
from torch import nn

from medad.detectors.ddad.asr_net import ASRNet
from medad.networks.autoencoder import BACKBONES
from medad.networks.folding import folded
from medad.networks.resnet import ResNet

NETWORKS = BACKBONES | {"asr": lambda: ASRNet(2, width=16)}
SHAPES = {"asr": (3, 2, 32, 32)}


def randomise(network: nn.Module) -> nn.Module:
    """Give every batch norm statistics and weights as training might leave them."""
    for layer in network.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            for values, low, high in (
                (layer.running_mean, -1, 1),
                (layer.running_var, 0.05, 4),
                (layer.weight.data, -2, 2),
                (layer.bias.data, -1, 1),
            ):
                values.uniform_(low, high)
    return network.eval()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_folded_network_computes_the_same(name):
    torch.manual_seed(0)
    network = randomise(NETWORKS[name]())
    state = {key: value.clone() for key, value in network.state_dict().items()}
    x = torch.rand(SHAPES.get(name, (3, 1, 64, 64))) * 2 - 1
    with torch.inference_mode():
        expected, found = network(x), folded(network)(x)
    outputs = [(expected, found)] if name == "asr" else zip(expected, found, strict=True)
    for one, other in outputs:
        assert (one is None) == (other is None)
        if one is not None:
            torch.testing.assert_close(other, one, rtol=0, atol=1e-5 * float(one.abs().max()))
    assert all(torch.equal(value, state[key]) for key, value in network.state_dict().items())


@pytest.mark.parametrize("name", NETWORKS)
def test_a_folded_network_is_for_scoring_only(name):
    scorer = folded(NETWORKS[name]().train())
    assert not any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in scorer.modules())
    assert not any(layer.training for layer in scorer.modules())
    assert not any(parameter.requires_grad for parameter in scorer.parameters())
    for parameter in scorer.parameters():
        assert parameter.ndim < 4 or parameter.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    ("layer", "norm", "shape"),
    [
        (nn.Conv2d(3, 5, 4, 2, 1, bias=False), nn.BatchNorm2d(5), (2, 3, 8, 8)),
        (nn.Conv2d(3, 5, 3, padding=1), nn.BatchNorm2d(5), (2, 3, 8, 8)),
        (nn.ConvTranspose2d(3, 5, 4, 2, 1, bias=False), nn.BatchNorm2d(5), (2, 3, 8, 8)),
        (nn.ConvTranspose2d(4, 4, 4, 2, 1), nn.BatchNorm2d(4), (2, 4, 8, 8)),
        (nn.Linear(3, 5), nn.BatchNorm1d(5), (4, 3)),
    ],
    ids=["convolution", "with bias", "transposed", "transposed, square, with bias", "linear"],
)
def test_a_merged_layer_is_the_formula_of_batch_norm(layer, norm, shape):
    torch.manual_seed(0)
    network = randomise(nn.Sequential(nn.Sequential(layer, norm))).double()
    x = torch.rand(shape, dtype=torch.float64)
    with torch.inference_mode():
        y = layer(x)
        column = (-1,) + (1,) * (y.ndim - 2)
        mean, variance, scale, shift = (
            v.view(column) for v in (norm.running_mean, norm.running_var, norm.weight, norm.bias)
        )
        expected = (y - mean) / (variance + norm.eps).sqrt() * scale + shift
        torch.testing.assert_close(folded(network)(x), expected, rtol=1e-12, atol=1e-12)


def test_a_batch_norm_without_such_a_layer_before_it_stays():
    network = randomise(
        nn.Sequential(nn.Sequential(nn.BatchNorm2d(2), nn.Conv2d(2, 3, 1), nn.ReLU(), nn.BatchNorm2d(3)))
    )
    x = torch.rand(2, 2, 4, 4)
    with torch.inference_mode():
        torch.testing.assert_close(folded(network)(x), network(x))
    assert len(folded(network)[0]) == 4


@pytest.mark.parametrize("kind", ["resnet18", "resnet50"])
def test_modules_that_name_their_norms_lose_them(kind):
    torch.manual_seed(0)
    network = randomise(ResNet(kind))
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.weight.data.uniform_(0.2, 0.5)  # else fifty layers grow beyond all bounds
    merged, x = folded(network), torch.rand(2, 1, 32, 32) * 2 - 1
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in merged.modules())
    assert any(isinstance(layer, nn.BatchNorm2d) for layer in network.modules())
    with torch.inference_mode():
        expected, found = network.stages(x), merged.stages(x)
    for name, one in expected.items():
        torch.testing.assert_close(found[name], one, rtol=0, atol=1e-5 * float(one.abs().max()))
