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
        Its batch norms stand in :class:`torch.nn.Sequential`, each after a convolution, transposed
        convolution or linear layer; others are left as they are.

    Returns
    -------
    Module
        In evaluation mode, channels last, without gradients; its outputs equal those of `network` in
        evaluation mode but for rounding.
    """
    copied = copy.deepcopy(network).eval().requires_grad_(False)
    for name, module in list(copied.named_modules()):
        if name and isinstance(module, nn.Sequential):
            copied.set_submodule(name, nn.Sequential(*_merge(list(module))))
    return copied.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _merge(layers: list[nn.Module]) -> list[nn.Module]:
    merged: list[nn.Module] = []
    for layer in layers:
        before = merged[-1] if merged else None
        if isinstance(layer, nn.BatchNorm2d) and isinstance(before, nn.Conv2d | nn.ConvTranspose2d):
            merged[-1] = fusion.fuse_conv_bn_eval(before, layer, transpose=isinstance(before, nn.ConvTranspose2d))
        elif isinstance(layer, nn.BatchNorm1d) and isinstance(before, nn.Linear):
            merged[-1] = fusion.fuse_linear_bn_eval(before, layer)
        else:
            # What a merged layer returns is its own: nothing else needs the values before ReLU.
            merged.append(nn.ReLU(inplace=bool(merged)) if isinstance(layer, nn.ReLU) else layer)
    return merged
