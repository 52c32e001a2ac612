"""The run folder: ``run.yaml`` and what lies beside it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from medad.errors import UserError
from medad.files import replacing

RUN_FILE, WEIGHTS_FILE, LOSSES_FILE, CHECKPOINT_FOLDER = (
    "run.yaml",
    "weights.safetensors",
    "losses.csv",
    "checkpoint",
)
CONTROLS_FILE = "controls.safetensors"


def claim(folder: Path, resume: bool) -> Path:
    """Make sure that `folder` can take a run, and return it.

    Parameters
    ----------
    folder : Path
        The run folder, made if missing.
    resume : bool
        Whether it may already hold (part of) a run.

    Raises
    ------
    UserError
        If it holds a run and `resume` is false, or if it cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".medad-write-test"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UserError(f"{folder}: cannot be written to ({error.strerror}); choose another --out") from error
    if not resume and ((folder / RUN_FILE).exists() or (folder / CHECKPOINT_FOLDER).exists()):
        raise UserError(f"{folder}: already holds a run; go on with --resume or choose another --out")
    return folder


def read_run(folder: Path) -> dict[str, Any]:
    """Return ``run.yaml`` of `folder`.

    Raises
    ------
    UserError
        If there is none or it is not a mapping.
    """
    path = Path(folder) / RUN_FILE
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{folder}: no run here ({RUN_FILE} is missing)") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{path}: not readable ({error.__class__.__name__})") from error
    if not isinstance(content, dict):
        raise UserError(f"{path}: not a run description")
    return content


def update_run(folder: Path, **sections: Any) -> None:
    """Set top-level `sections` of ``run.yaml``, leaving the others as they are; atomic."""
    path = Path(folder) / RUN_FILE
    content = (read_run(folder) if path.exists() else {}) | sections
    with replacing(path) as partial:
        partial.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")


def write_losses(folder: Path, curves: Mapping[str, np.ndarray]) -> None:
    """Write ``losses.csv``: phase, epoch (from 1), mean loss."""
    rows = [f"{name},{i + 1},{loss:.6g}" for name, curve in curves.items() for i, loss in enumerate(curve)]
    with replacing(Path(folder) / LOSSES_FILE) as partial:
        partial.write_text("\n".join(["phase,epoch,loss", *rows, ""]), encoding="utf-8")


def read_losses(folder: Path) -> dict[str, np.ndarray]:
    """Read ``losses.csv``: mean loss of each epoch by phase; empty if there is no such file."""
    path = Path(folder) / LOSSES_FILE
    curves: dict[str, list[float]] = {}
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines()[1:]:
            name, _, loss = line.split(",")
            curves.setdefault(name, []).append(float(loss))
    return {name: np.array(curve) for name, curve in curves.items()}
