"""The residual blocks against the same in single operations."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from medad.networks.folding import folded
from medad.networks.residual import DownBlock, UpBlock


def randomised(block: nn.Module) -> nn.Module:
    """Fill all parameters and statistics, so that none is without effect."""
    block = block.double()
    for name, tensor in block.state_dict().items():
        if tensor.is_floating_point():
            tensor.uniform_(0.5 if "running_var" in name else -0.5, 1.0)
    return block


def normed(x: torch.Tensor, norm: nn.Module) -> torch.Tensor:
    if isinstance(norm, nn.GroupNorm):
        mean = x.mean((1, 2, 3), keepdim=True)
        variance = (x - mean).square().mean((1, 2, 3), keepdim=True)
    else:
        mean, variance = (t[:, None, None] for t in (norm.running_mean, norm.running_var))
    return (x - mean) / (variance + 1e-5).sqrt() * norm.weight[:, None, None] + norm.bias[:, None, None]


def conv(x: torch.Tensor, layer: nn.Conv2d) -> torch.Tensor:
    return F.conv2d(x, layer.weight, layer.bias, padding=layer.weight.shape[-1] // 2)


@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_the_up_block_is_its_description(norm):
    block = randomised(UpBlock(3, 5, norm)).eval()
    n1, _, c1, n2, _, c2 = block.body
    x = torch.randn(2, 3, 4, 6, dtype=torch.float64)
    doubled = normed(x, n1).relu().repeat_interleave(2, 2).repeat_interleave(2, 3)
    expected = conv(normed(conv(doubled, c1), n2).relu(), c2)
    expected = expected + conv(x.repeat_interleave(2, 2).repeat_interleave(2, 3), block.shortcut[0])
    torch.testing.assert_close(block(x), expected)
    assert c1.bias is None


@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_the_down_block_is_its_description(norm):
    block = randomised(DownBlock(3, 5, norm)).eval()
    n1, _, c1, n2, _, c2 = block.body
    x = torch.randn(2, 3, 4, 6, dtype=torch.float64)
    expected = conv(normed(conv(normed(x, n1).relu(), c1), n2).relu(), c2)
    expected = F.avg_pool2d(expected, 2) + conv(F.avg_pool2d(x, 2), block.shortcut[1])
    torch.testing.assert_close(block(x), expected)
    assert c1.bias is None


@pytest.mark.parametrize("block", [UpBlock(3, 5), DownBlock(3, 5)])
def test_folded_blocks_compute_the_same(block):
    block = randomised(block).eval()
    x = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    assert sum(isinstance(m, nn.BatchNorm2d) for m in folded(block).modules()) == 1  # the second one is merged
    torch.testing.assert_close(folded(block)(x), block(x))


def test_the_slope_of_a_down_block_has_a_slope():
    block = DownBlock(2, 3, "layer").double()
    x = torch.randn(2, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(block, x)


def test_the_start_of_the_weights():
    block = DownBlock(64, 128)
    for layer, gain in ((block.body[2], 2), (block.body[5], 2), (block.shortcut[1], 1)):
        count = layer.weight[0, 0].numel() * (layer.in_channels + layer.out_channels)
        assert layer.weight.std().item() == pytest.approx((2 * gain / count) ** 0.5, rel=0.03)
    assert not block.body[5].bias.any()
