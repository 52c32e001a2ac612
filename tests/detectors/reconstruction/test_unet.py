"""The U-Net of the DAE against its table of layers and a plain forward pass."""

import pytest
import torch
from torch.nn import functional as F

from medad.detectors.reconstruction.unet import StandardisedConv2d, UNet, group_count


def block(a: int, b: int) -> int:
    return (9 * a * b + b + 2 * b) + (9 * b * b + b + 2 * b)


def test_parameter_counts():
    down = block(4, 64) + block(64, 128) + block(128, 256) + block(256, 512)
    up = sum(4 * a * b + b + block(a, b) for a, b in ((512, 256), (256, 128), (128, 64)))
    assert sum(p.numel() for p in UNet(4).parameters()) == down + up + 64 * 4 + 4  # the authors' four sequences
    deeper = block(512, 1024) + 4 * 1024 * 512 + 512 + block(1024, 512)
    grey = 3 * (9 * 64 + 64) + 3
    assert sum(p.numel() for p in UNet(1, depth=5).parameters()) == down + up + 64 * 4 + 4 + deeper - grey


@pytest.mark.parametrize(("channels", "groups"), [(1, 1), (4, 2), (64, 8), (128, 16), (256, 16), (512, 32)])
def test_groups_are_the_upper_median_of_the_divisors(channels, groups):
    assert group_count(channels) == groups


def test_filters_are_standardised():
    layer, x = StandardisedConv2d(3, 4, 3), torch.rand(1, 3, 8, 8)
    before = layer(x)
    with torch.no_grad():
        layer.weight.mul_(5).add_(2)
    torch.testing.assert_close(layer(x), before, rtol=1e-3, atol=1e-4)


def plain_block(x: torch.Tensor, state: dict[str, torch.Tensor], name: str) -> torch.Tensor:
    for convolution, norm in ((0, 2), (3, 5)):
        weight = state[f"{name}.{convolution}.weight"]
        flat = weight.flatten(1)
        flat = (flat - flat.mean(1, keepdim=True)) / (flat.std(1, keepdim=True) + 1e-5)
        x = F.conv2d(F.pad(x, (1, 1, 1, 1), "reflect"), flat.view_as(weight), state[f"{name}.{convolution}.bias"])
        x = x * x.sigmoid()
        parts = x.reshape(len(x), group_count(x.shape[1]), -1)
        variance, mean = torch.var_mean(parts, dim=2, correction=0, keepdim=True)
        x = ((parts - mean) / (variance + 1e-5).sqrt()).view_as(x)
        x = x * state[f"{name}.{norm}.weight"].view(1, -1, 1, 1) + state[f"{name}.{norm}.bias"].view(1, -1, 1, 1)
    return x


def test_forward_pass():
    torch.manual_seed(0)
    network, x = UNet(1, width=4, depth=3), torch.rand(2, 1, 16, 16)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        state = network.state_dict()
        first = plain_block(x, state, "down.0")
        second = plain_block(F.avg_pool2d(first, 2), state, "down.1")
        y = plain_block(F.avg_pool2d(second, 2), state, "down.2")
        for i, skip in enumerate((second, first)):
            y = F.conv_transpose2d(y, state[f"up.{i}.weight"], state[f"up.{i}.bias"], stride=2)
            y = plain_block(torch.cat([y, skip], 1), state, f"merge.{i}")
        expected = F.conv2d(y, state["last.weight"], state["last.bias"])
        torch.testing.assert_close(network(x), expected, rtol=1e-4, atol=1e-5)
