"""Computing the cells of an experiment, a reconstruction at a time: each is stored as soon as it is there."""

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from medad.errors import UserError
from medad.experiments.reproduce.pitfalls.background import DARK
from medad.experiments.reproduce.pitfalls.experiments import SEED, Task, named
from medad.experiments.reproduce.pitfalls.images import Heads
from medad.experiments.reproduce.pitfalls.stored import Cell, read_about, read_cells, write_about, write_cells
from medad.progress import progress
from medad.synthesis.disks import RADIUS
from medad.workflows.provenance import versions

COMMON = ("images", "fingerprint", "settings")  # to all experiments on a data set at one scale


def compute(name: str, heads: Heads, task: Task, file: Path, jobs: int) -> None:
    """Compute the cells of an experiment that `file` lacks.

    Parameters
    ----------
    name : str
        Of the experiment.
    heads : Heads
        Normal images.
    task : Task
        What is computed of them.
    file : Path
        The CSV file.
    jobs : int
        Number of threads.

    Raises
    ------
    UserError
        If the file, or one beside it, holds cells of other images.
    """
    about = {
        "images": {"used": len(heads.pixels), "without_background": heads.left_out, "size": heads.pixels.shape[1]},
        "fingerprint": heads.fingerprint,
        "settings": {"radius": RADIUS, "seed": SEED, "dark": DARK},
        "grid": [len(task.anomalies), len(task.reconstructions)],
        **task.facts,
    }
    _check_same(about, file)
    if read_about(file).get("complete"):
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    write_about(file, about | {"complete": False})
    task.prepare()
    _fill(name, task, file, jobs)
    made = {"date": datetime.date.today(), "versions": versions(torch.device("cpu"))}
    write_about(file, about | {"complete": True} | made)


def _check_same(about: Mapping[str, Any], file: Path) -> None:
    """Refuse cells of other images, also in the files beside this one, and of other settings."""
    scale = file.stem.rpartition("-")[2]
    for other in file.parent.glob(f"*-{scale}.csv"):
        names = about if other == file else COMMON
        if any(read_about(other).get(name) != about[name] for name in names):
            raise UserError(f"{other}: holds cells of other images or settings; choose another `out`")


def _fill(name: str, task: Task, file: Path, jobs: int) -> None:
    cells = read_cells(file)
    done = len(cells) // len(task.anomalies)
    with progress(len(task.reconstructions), f"{name}, reconstructions") as advance:
        advance(done, done_before=True)
        for number in range(done, len(task.reconstructions)):
            found = task.column(number, jobs)
            columns = zip(task.anomalies, found.ap[:, 0], found.spread[:, 0], found.residual[:, 0], strict=True)
            cells += [Cell(row, task.reconstructions[number], *named(np.array(figures))) for row, *figures in columns]
            write_cells(file, cells)
            advance(1)
