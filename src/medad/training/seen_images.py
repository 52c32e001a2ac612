"""``seen.safetensors`` of a run folder: which images it has learned from, known again by their content alone."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from medad.training.checkpoint import load_tensors, save_tensors

SEEN_FILE = "seen.safetensors"


def write_seen(folder: Path, seen: Mapping[str, Tensor]) -> None:
    """Write digests of images, ``int64`` (n,), by what became of them: ``trained`` and ``held_out``."""
    path = Path(folder) / SEEN_FILE
    if seen:
        save_tensors(path, seen)
    else:
        path.unlink(missing_ok=True)


def read_seen(folder: Path) -> dict[str, Tensor]:
    """Return what :func:`write_seen` wrote; nothing of a run of an earlier version.

    Raises
    ------
    UserError
        If the file is damaged.
    """
    path = Path(folder) / SEEN_FILE
    return load_tensors(path)[0] if path.exists() else {}
