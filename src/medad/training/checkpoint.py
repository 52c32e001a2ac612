"""Weights and the state of training in safetensors files, written whole or not at all."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from medad.errors import MedadError, UserError
from medad.files import replacing


def save_tensors(path: Path, tensors: Mapping[str, Tensor], **metadata: object) -> None:
    """Write `tensors` and string `metadata` to `path` so that a crash or power cut leaves the old file or the new.

    Raises
    ------
    MedadError
        When the disk is full or the folder cannot be written; the old file is intact.
    """
    plain = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
    try:
        with replacing(path) as partial, partial.open("wb") as file:
            file.write(save(plain, {k: str(v) for k, v in metadata.items()}))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise MedadError(f"{path}: cannot be written ({error}); free some space and go on with `resume`") from error


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read tensors and metadata from `path`.

    Raises
    ------
    UserError
        When the file is missing or is no safetensors file.
    """
    with _opened(path) as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118


def read_metadata(path: Path) -> dict[str, str]:
    """Read the metadata of `path`, not its tensors; raises what :func:`load_tensors` raises."""
    with _opened(path) as file:
        return file.metadata() or {}


@contextmanager
def _opened(path: Path) -> Iterator[safe_open]:
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path}: not a readable weights file ({error}); delete it, and train or resume") from error


def network_state(networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """Return the state of several networks, keys ``NETWORK/PARAMETER``."""
    return {f"{name}/{key}": value for name, net in networks.items() for key, value in net.state_dict().items()}


def load_networks(networks: Mapping[str, nn.Module], tensors: Mapping[str, Tensor]) -> None:
    """Copy into `networks` their part of `tensors`, as :func:`network_state` names it."""
    for name, net in networks.items():
        prefix = f"{name}/"
        net.load_state_dict({k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)})


def check_key(path: Path, metadata: Mapping[str, str], key: str) -> None:
    """Refuse a file that was trained with other options, data or another seed."""
    if metadata.get("key") != key:
        raise UserError(f"{path}: trained with other options or data; resume with the same ones or use another `out`")
