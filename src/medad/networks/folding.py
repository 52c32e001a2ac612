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
        Only batch norms that follow a convolution, transposed convolution or linear layer are merged, at any depth:
        in an ``nn.Sequential``, and in modules that say so by ``norms``, names of batch norms and of the layers
        whose output each of them gets and nobody else. They must keep running statistics.

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
    norms: dict[str, str] = getattr(module, "norms", {})
    for norm, layer in norms.items():
        merged = _merged(getattr(module, layer), getattr(module, norm))
        if merged is not None:
            setattr(module, layer, merged)
            setattr(module, norm, nn.Identity())


def _merge(layers: nn.Sequential) -> list[nn.Module]:
    merged: list[nn.Module] = []
    for layer in layers:
        both = _merged(merged[-1], layer) if merged else None
        if both is None:
            merged.append(layer)
        else:
            merged[-1] = both
    return merged


def _merged(layer: nn.Module, norm: nn.Module) -> nn.Module | None:
    """Return both in one; None where that cannot be."""
    match layer, norm:
        case nn.ConvTranspose2d(), nn.BatchNorm2d():
            return fusion.fuse_conv_bn_eval(layer, norm, transpose=True)
        case nn.Conv2d(), nn.BatchNorm2d():
            return fusion.fuse_conv_bn_eval(layer, norm)
        case nn.Linear(), nn.BatchNorm1d():
            return fusion.fuse_linear_bn_eval(layer, norm)
    return None
