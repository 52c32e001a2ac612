"""The run folder: ``run.yaml`` and what lies beside it."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from medad.errors import UserError
from medad.files import replacing
from medad.ownership import RUN_FILE, claimed, read_marker
from medad.training.held_out import HELD_OUT_FILE
from medad.training.seen_images import SEEN_FILE
from medad.training.stopwatch import Stopwatch
from medad.training.workspace import CHECKPOINT_FOLDER, is_workspace

WEIGHTS_FILE, LOSSES_FILE, CONTROLS_FILE = "weights.safetensors", "losses.csv", "controls.safetensors"
CALIBRATION_FOLDER = "calibration"  # sets of normal images that the run has not learned from, see medad calibrate
RUN = "run"  # what the markers of run folders name, whether trained by ``medad run`` or ``medad train``
OF_TRAINING = (
    RUN_FILE,
    WEIGHTS_FILE,
    LOSSES_FILE,
    HELD_OUT_FILE,
    SEEN_FILE,
    CONTROLS_FILE,
    f"{CALIBRATION_FOLDER}/",
    f"{CHECKPOINT_FOLDER}/",
)


@contextmanager
def claimed_run(folder: Path, resume: bool, names: Iterable[str] = ()) -> Iterator[Path]:
    """Claim `folder` for a run.

    Parameters
    ----------
    folder : Path
        The run folder, made if missing.
    resume : bool
        Whether it may already hold (part of) a run.
    names : iterable of str
        What is written beside `OF_TRAINING`, see :func:`medad.ownership.claimed`.

    Yields
    ------
    Path
        The folder.

    Raises
    ------
    UserError
        If it holds a run and `resume` is false, what is not of a run, or cannot be written to.
    """
    wanted = (*OF_TRAINING, *names)
    earlier = wanted if _was_run(folder) else ()
    marker = read_marker(folder)
    is_run = bool(earlier) or (marker is not None and marker.command == RUN)
    if is_run and not resume and ((folder / RUN_FILE).exists() or (folder / CHECKPOINT_FOLDER).exists()):
        raise UserError(f"{folder}: already holds a run; go on with `resume` or choose another `out`")
    with claimed(folder, RUN, wanted, earlier=earlier):
        yield folder


def _was_run(folder: Path) -> bool:
    """Whether `folder` holds a run, or one in the middle of its training, of a version that made no markers."""
    try:
        return {"method", "options"} <= read_run(folder).keys()
    except UserError:
        return is_workspace(folder / CHECKPOINT_FOLDER)


def timings(watch: Stopwatch, resumed: bool) -> dict[str, Any]:
    """Return what ``run.yaml`` says of the time that training took.

    ``fit_seconds`` is the time while training was at work, on however many processes, the sum over all sittings;
    of one that was killed up to :data:`medad.training.stopwatch.PERIOD` seconds are missing. Waiting for networks
    that another run trains counts, networks that come from a store cost nothing. ``wall_seconds`` is the time from
    the beginning of the first sitting to the end of the last, with the pauses between them. ``resumed`` says whether
    there were several.

    Parameters
    ----------
    watch : Stopwatch
        Of the training.
    resumed : bool
        Whether there was anything to go on from. Where `watch` knows of no earlier sitting nevertheless, as of one
        with an earlier version, ``fit_seconds`` is of the last one and ``wall_seconds`` is left out.
    """
    wall = {} if resumed and not watch.resumed else {"wall_seconds": round(watch.wall_seconds, 1)}
    return {"fit_seconds": round(watch.seconds, 1)} | wall | {"resumed": resumed}


def training_seconds(run: Mapping[str, Any]) -> float | None:
    """Return ``fit_seconds`` of a ``run.yaml``, None where only the last of several sittings was counted."""
    told = run["timings"]
    return None if told.get("resumed") and "wall_seconds" not in told else float(told["fit_seconds"])


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
