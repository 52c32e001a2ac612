"""Pretrained weights from a file of the user's; nothing in it is executed."""

from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from medad.errors import UserError


def read_weights(path: Path, network: nn.Module, what: str) -> dict[str, Tensor]:
    """Return the weights of `network` that a file holds, fp32, by name; the file may hold more.

    Parameters
    ----------
    path : Path
        A state dict, ``.safetensors`` or as torch saves it.
    network : Module
        Says which names and shapes are wanted; counters of batch norms need not be there.
    what : str
        Name of the network, for errors.

    Raises
    ------
    UserError
        If the file is not there, cannot be read or holds other weights.
    """
    return wanted_of(read_state(path), network, path, what)


def wanted_of(found: Mapping[str, Any], network: nn.Module, path: Path, what: str) -> dict[str, Tensor]:
    """Return the weights of `network` among those `found` in the file at `path`, as :func:`read_weights` does."""
    wanted = {name: t.shape for name, t in network.state_dict().items() if not name.endswith("num_batches_tracked")}
    for name, shape in wanted.items():
        if getattr(found.get(name), "shape", None) != shape:
            raise UserError(f"{path}: not the weights of {what} ({name} is missing or of another shape)")
    return {name: found[name].float() for name in wanted}


def weights_digest(weights: Mapping[str, Tensor]) -> str:
    """Return a digest of weights, whatever file they are from."""
    digest = blake2b(digest_size=16)
    for tensor in weights.values():
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


def read_state(path: Path) -> dict[str, Any]:
    """Return what a file of weights holds, by name; empty where it holds something else.

    Raises
    ------
    UserError
        If the file is not there or cannot be read.
    """
    try:
        state = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except Exception as error:  # there is little that a damaged file does not make torch raise
        raise UserError(f"{path}: not a readable file of weights ({error.__class__.__name__})") from error
    return {name: value for name, value in state.items() if isinstance(name, str)} if isinstance(state, dict) else {}
