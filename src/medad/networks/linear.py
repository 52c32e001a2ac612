"""Linear layers whose fp32 products on a CPU are oneDNN's."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

ONEDNN = torch.backends.mkldnn.is_available()


class Linear(nn.Linear):
    """``nn.Linear``, in fp32 on a CPU twice as fast where torch's own products (MKL) are slow, as on AMD's.

    Names, initialisation and, but for rounding, results are those of ``nn.Linear``; the gradient
    cannot be differentiated again.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x @ weight.T + bias``, (n, out_features), for `x` (n, in_features)."""
        if ONEDNN and x.device.type == "cpu" and x.dtype == torch.float32 and not torch.is_autocast_enabled("cpu"):
            return _OneDNN.apply(x, self.weight, self.bias)
        return super().forward(x)


class _OneDNN(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _product(x, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        for_x, for_weight, for_bias = ctx.needs_input_grad
        return (
            _product(gradient, weight.t()) if for_x else None,
            _product(gradient.t(), x.t()) if for_weight else None,
            gradient.sum(0) if for_bias else None,
        )


def _product(a: Tensor, b: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return ``a @ b.T + bias``: the call by which torch's own compiler reaches oneDNN."""
    return torch.ops.mkldnn._linear_pointwise(a, b, bias, "none", [], "")
