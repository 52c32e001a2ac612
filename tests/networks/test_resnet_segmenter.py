"""The segmenter against the published network in plain operations, its sides, its weights' number and their start."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from medad.networks.folding import folded
from medad.networks.resnet_segmenter import ResNetSegmenter, SpreadingConv

Weights = dict[str, torch.Tensor]


def norm(w: Weights, x: torch.Tensor, name: str) -> torch.Tensor:
    return F.batch_norm(x, *(w[f"{name}.{k}"] for k in ("running_mean", "running_var", "weight", "bias")))


def plain_down(w: Weights, x: torch.Tensor) -> torch.Tensor:
    """Compute the encoder of a 224-pixel image from the weights."""
    x = F.max_pool2d(norm(w, F.conv2d(x, w["conv1.weight"], stride=2, padding=3), "bn1").relu(), 3, 2, 1)
    for i in range(4):
        for j in range(2):
            at, stride = f"down.{i}.{j}", 2 if i and not j else 1
            out = norm(w, F.conv2d(x, w[f"{at}.conv1.weight"], stride=stride, padding=1), f"{at}.bn1").relu()
            out = norm(w, F.conv2d(out, w[f"{at}.conv2.weight"], padding=1), f"{at}.bn2")
            if stride == 2:
                x = norm(w, F.conv2d(x, w[f"{at}.downsample.0.weight"], stride=2), f"{at}.downsample.1")
            x = (x + out).relu()
    return x


def plain_up(w: Weights, x: torch.Tensor) -> torch.Tensor:
    """Compute the decoder as published: every transposed convolution doubles."""
    for i in (0, 2):
        x = F.conv2d(x, w[f"squeeze.{i}.weight"]).relu()
    for i in range(3):
        at = f"up.{i}"
        out = F.conv_transpose2d(x, w[f"{at}.conv1.weight"], stride=2, padding=1, output_padding=1)
        out = norm(w, F.conv2d(norm(w, out, f"{at}.bn1").relu(), w[f"{at}.conv2.weight"], padding=1), f"{at}.bn2")
        other = F.conv_transpose2d(x, w[f"{at}.shortcut.weight"], stride=2, output_padding=1)
        x = (out + norm(w, other, f"{at}.bn_shortcut")).relu()
    x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
    return F.conv_transpose2d(x, w["last.weight"], stride=2, padding=3, output_padding=1)[:, 0]


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    network = ResNetSegmenter(1).eval().requires_grad_(False)
    for name, tensor in network.state_dict().items():
        if "bn" in name and tensor.is_floating_point():
            tensor.uniform_(0.5, 1.5)
    return network


def test_it_is_the_published_network(network):
    x, w = torch.rand(2, 1, 224, 224), network.state_dict()
    inner = plain_down(w, x)
    assert inner.shape == (2, 512, 7, 7)
    expected = plain_up(w, inner)
    assert expected.shape == (2, 224, 224)
    torch.testing.assert_close(network(x)[:, 0], expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))


def test_number_of_weights(network):
    """Counted by hand: a pair of numbers is a convolution's and its norm's."""
    stem = 64 * 49 + 128
    first = 4 * (64 * 64 * 9 + 128)
    others = [c * c // 2 * 9 + 3 * c * c * 9 + c * c // 2 + 5 * 2 * c for c in (128, 256, 512)]
    squeeze = 512 * 256 + 256 * 128
    doubling = [2 * c * c * 9 + c * c * 9 + 2 * c * c + 3 * 2 * c for c in (64, 32, 16)]
    expected = stem + first + sum(others) + squeeze + sum(doubling) + 16 * 49
    assert sum(p.numel() for p in network.parameters()) == expected


@pytest.mark.parametrize("bias", [False, True])
def test_spreading_is_a_transposed_convolution(bias):
    spreading = SpreadingConv(32, 16)
    torch_s = nn.ConvTranspose2d(32, 16, 1, stride=2, bias=bias)
    spreading.weight, spreading.bias = torch_s.weight, torch_s.bias
    x = torch.randn(2, 32, 7, 5)
    for sides in ([14, 10], [13, 10], [13, 9]):
        torch.testing.assert_close(spreading(x, sides), torch_s(x, sides))
    torch.testing.assert_close(spreading(x), torch_s(x))


@pytest.mark.parametrize("side", [56, 112, 42, 224, 96])
@pytest.mark.parametrize("channels", [1, 3])
def test_maps_have_the_side_of_the_image(side, channels):
    network = ResNetSegmenter(channels, 16, 2)
    x = torch.rand(2, channels, side, side)
    assert network(x).shape == (2, 2, side, side)
    network.eval()
    torch.testing.assert_close(folded(network)(x), network(x), rtol=1e-4, atol=1e-5)


def test_the_start_is_kaimings():
    torch.manual_seed(0)
    network = ResNetSegmenter(1)
    for module in network.modules():
        if type(module) is nn.Conv2d and module.weight.numel() > 10_000:
            fan = module.out_channels * module.kernel_size[0] ** 2
            assert module.weight.detach().std() == pytest.approx((2 / fan) ** 0.5, rel=0.05)
        if isinstance(module, nn.BatchNorm2d):
            assert (module.weight == 1).all() and (module.bias == 0).all()
