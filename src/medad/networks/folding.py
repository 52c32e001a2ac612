"""Networks for scoring: the same function in fewer steps."""

import copy

import torch
from torch import nn
from torch.nn.utils import fusion


def folded(network: nn.Module) -> nn.Module:
    """Return a copy of `network` for scoring, with every batch norm merged into the layer before it.

    Parameters
    ----------
    network : Module
        Only batch norms that follow a convolution, transposed convolution or linear layer in an
        ``nn.Sequential``, at any depth, are merged; they must keep running statistics.

    Returns
    -------
    Module
        In evaluation mode, channels last, without gradients; but for rounding it computes what
        `network` does in evaluation mode.
    """
    copied = copy.deepcopy(network).eval().requires_grad_(False)
    _merge_within(copied)
    return copied.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _merge_within(module: nn.Module) -> None:
    for name, child in module.named_children():
        _merge_within(child)
        if type(child) is nn.Sequential:
            setattr(module, name, nn.Sequential(*_merge(child)))


def _merge(layers: nn.Sequential) -> list[nn.Module]:
    merged: list[nn.Module] = []
    for layer in layers:
        match (merged[-1] if merged else None), layer:
            case nn.ConvTranspose2d() as before, nn.BatchNorm2d():
                merged[-1] = fusion.fuse_conv_bn_eval(before, layer, transpose=True)
            case nn.Conv2d() as before, nn.BatchNorm2d():
                merged[-1] = fusion.fuse_conv_bn_eval(before, layer)
            case nn.Linear() as before, nn.BatchNorm1d():
                merged[-1] = fusion.fuse_linear_bn_eval(before, layer)
            case _:
                merged.append(layer)
    return merged
