"""The trivial controls of a run, kept beside its weights so that any data can be held against them."""

from pathlib import Path

import torch

from medad.errors import UserError
from medad.evaluation.controls import Controls
from medad.training.checkpoint import load_tensors, save_tensors
from medad.training.run_folder import CONTROLS_FILE
from medad.workflows.notes import say
from medad.workflows.splits import Splits

LARGEST = 16 * 2**20  # bytes; the controls of a run need a quarter of it


def keep_controls(run: Path, splits: Splits, seed: int) -> None:
    """Fit the controls on the images that a run is given to learn from, and write them into its folder.

    Raises
    ------
    MedadError
        If the file cannot be written.
    """
    unlabeled = splits.unlabeled.unlabelled() if splits.unlabeled else None
    state = Controls.fit(splits.normal.unlabelled(), unlabeled, seed).state()
    save_tensors(run / CONTROLS_FILE, {name: torch.from_numpy(values) for name, values in state.items()})


def read_controls(run: Path, size: int) -> Controls | None:
    """Return the controls of a run on images of side `size`; None, and a line that says so, where it has none.

    Raises
    ------
    UserError
        If the file is damaged or is none that `keep_controls` wrote.
    """
    path = run / CONTROLS_FILE
    if not path.exists():
        say(f"{run}: has no trivial controls ({CONTROLS_FILE} is missing); train anew to have them in the table")
        return None
    if path.stat().st_size > LARGEST:
        raise UserError(f"{path}: too large to be the controls of a run; delete it to go on without them")
    try:
        return Controls.from_state({name: tensor.numpy() for name, tensor in load_tensors(path)[0].items()}, size)
    except (ValueError, TypeError) as error:
        raise UserError(f"{path}: not the controls of this run ({error}); delete it to go on without them") from error
