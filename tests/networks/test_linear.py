"""The faster linear layer against torch's own."""

import pytest
import torch
from torch import nn

from medad.networks.linear import Linear


def both(inputs: int = 40, outputs: int = 24) -> tuple[Linear, nn.Linear]:
    torch.manual_seed(0)
    fast = Linear(inputs, outputs)
    plain = nn.Linear(inputs, outputs)
    plain.load_state_dict(fast.state_dict())
    return fast, plain


@pytest.mark.parametrize("rows", [1, 7, 64])
def test_values_and_gradients_are_those_of_torch(rows):
    results = []
    for layer in both():
        x = torch.linspace(-1, 1, rows * 40).reshape(rows, 40).requires_grad_()
        out = layer(x)
        (out.square() * torch.arange(24.0)).sum().backward()
        results.append((out, x.grad, layer.weight.grad, layer.bias.grad))
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-4)


def test_double_precision_and_autocast_are_torch_s():
    fast, plain = both()
    x = torch.randn(3, 40)
    assert torch.equal(fast.double()(x.double()), plain.double()(x.double()))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(fast.float()(x), plain.float()(x))


def test_without_gradients():
    fast, plain = both()
    with torch.inference_mode():
        torch.testing.assert_close(fast(torch.ones(2, 40)), plain(torch.ones(2, 40)))
