"""Computing the cells of an experiment, blur by blur: each is stored as soon as it is there."""

import datetime
from collections.abc import Iterator
from pathlib import Path

import torch

from medad.errors import UserError
from medad.experiments.reproduce.pitfalls.background import DARK
from medad.experiments.reproduce.pitfalls.disks import RADIUS
from medad.experiments.reproduce.pitfalls.experiments import EXPERIMENTS, SEED, Scale, Task
from medad.experiments.reproduce.pitfalls.images import Heads
from medad.experiments.reproduce.pitfalls.landscape import found_behind_blurs
from medad.experiments.reproduce.pitfalls.stored import Cell, read_about, read_cells, write_about, write_cells
from medad.progress import progress
from medad.workflows.provenance import versions


def compute(name: str, heads: Heads, scale: Scale, file: Path, jobs: int) -> None:
    """Compute the cells of an experiment that `file` lacks.

    Parameters
    ----------
    name : str
        One of `EXPERIMENTS`.
    heads : Heads
        Normal images.
    scale : Scale
        How fine the grid is.
    file : Path
        The CSV file.
    jobs : int
        Number of threads.

    Raises
    ------
    UserError
        If the file holds cells of other images.
    """
    about = {
        "images": {"used": len(heads.pixels), "without_background": heads.left_out, "size": heads.pixels.shape[1]},
        "fingerprint": heads.fingerprint,
        "settings": {"points": scale.points, "radius": RADIUS, "seed": SEED, "dark": DARK},
    }
    known = read_about(file)
    if known and not about.items() <= known.items():
        raise UserError(f"{file}: holds cells of other images or settings; choose another `out`")
    if known.get("complete"):
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    write_about(file, about | {"complete": False})
    _fill(name, heads, scale, file, jobs)
    made = {"date": datetime.date.today(), "versions": versions(torch.device("cpu"))}
    write_about(file, about | {"complete": True} | made)


def _fill(name: str, heads: Heads, scale: Scale, file: Path, jobs: int) -> None:
    task = EXPERIMENTS[name](heads.pixels, scale)
    cells = read_cells(file)
    done = len(cells) // len(task.names)
    with progress(len(scale.sigmas), f"{name}, blurs") as advance:
        advance(done, done_before=True)
        for sigma in scale.sigmas[done:]:
            cells += _behind(sigma, task, jobs)
            write_cells(file, cells)
            advance(1)


def _behind(sigma: float, task: Task, jobs: int) -> Iterator[Cell]:
    found = found_behind_blurs(task.images, task.masks, task.contents, [sigma], jobs)
    columns = zip(task.names, found.ap[:, 0], found.spread[:, 0], found.residual[:, 0], strict=True)
    yield from (Cell(anomaly, f"{sigma:.4g}", *(f"{x:.4g}" for x in figures)) for anomaly, *figures in columns)
