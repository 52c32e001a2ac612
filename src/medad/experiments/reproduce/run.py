"""``medad reproduce``: run an experiment of the paper and put its figures beside the published ones."""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from medad.data.repartition import Repartition
from medad.errors import UserError
from medad.experiments.grid.config import Grid
from medad.experiments.grid.results import Record, export_scores
from medad.experiments.grid.run import claimed_grid, run_grid, tabled
from medad.experiments.reproduce.cells import MAKE
from medad.experiments.reproduce.pages import PAGES
from medad.experiments.store import machines
from medad.files import replacing
from medad.reports.report import heat_maps
from medad.training.run import read_run
from medad.workflows.options import TrainOptions

APART = "**This is not preset paper**: a first look, whose figures and differences say nothing about the paper's."

IN_PERCENT = (
    "In %, mean over seeds ± their standard deviation where there are several, in brackets the 95 % interval of a "
    "stratified bootstrap. A difference is ours minus published."
)
NO_SHARES = ("fig8", "fig9")


def reproduce(
    name: str,
    data: Path,
    out: Path,
    options: TrainOptions,
    *,
    seeds: Sequence[int] = (0,),
    scheduler: str | None = None,
    workers: int | None = None,
    stored: Path | None = None,
    train: bool = True,
) -> int:
    """Run the cells that have not been run, write and print the page ``out/NAME.md``, and write ``out/NAME.csv``.

    The CSV file has the scores of every image, to compute other figures from.

    Parameters
    ----------
    name : str
        A table or figure of Cai et al. (2023), see :data:`medad.experiments.reproduce.cells.MAKE`.
    data : Path
        Folder of a data set.
    out : Path
        Folder of the grid; all experiments may share it, and then share trained networks.
    options : TrainOptions
        Preset, precision, device, and options that differ from the preset, which the page names.
    seeds : sequence of int
        Trainings of each cell.
    scheduler, workers, stored, train
        See :func:`medad.experiments.grid.run.run_grid`.

    Returns
    -------
    int
        The number of cells that failed.

    Raises
    ------
    UserError
        If there is no such experiment, the data do not allow it, or there is nothing to print.
    """
    if name not in MAKE:
        raise UserError(f"{name}: no such experiment; there are {', '.join(MAKE)}")
    if stored is not None and not stored.is_dir():
        raise UserError(f"--stored {stored}: no such folder")
    data = data.resolve()
    if {entry.label for entry in Repartition.read(data).test} != {0, 1}:
        raise UserError(f"{data}: its test images need labels, of normal and of abnormal ones")
    pictures = [_picture(seed) for seed in seeds] if name == "fig9" else []
    with claimed_grid(out, "reproduce", ("splits/", f"{name}.md", f"{name}.csv", *pictures)):
        cells = [cell for seed in dict.fromkeys(seeds) for cell in MAKE[name](data, out, replace(options, seed=seed))]
        grid = Grid(tuple(cells))
        records = run_grid(grid, out, scheduler=scheduler, workers=workers, stored=stored, train=train)
        if not records and not train:
            raise UserError(f"{out}: holds no run of {name} with these options; leave out --print-only")
        if not records:
            return len(cells)
        tables = tabled(records, cells).get(data.name, {})
        parts = [*_heading(name, data.name, options, records), *PAGES[name][1](data.name, tables)]
        if name == "fig9":
            parts += _pictures(records, out)
        text = "\n\n".join(parts) + "\n"
        with replacing(out / f"{name}.md") as partial:
            partial.write_text(text, encoding="utf-8")
        export_scores(records, out / f"{name}.csv")
        print(text)
    return len(cells) - len(records) if train else 0


def _picture(seed: int) -> str:
    return f"fig9-seed{seed}.png"


def _pictures(records: Sequence[Record], out: Path) -> Iterator[str]:
    """Write the heat maps of each cell's report as a picture and yield the line that shows it."""
    for record in records:
        png = heat_maps(record.folder / "report.html")
        if png is None:
            yield f"Seed {record.seed}: no heat maps, because the run has no report, as those of stored results."
            continue
        file = out / _picture(record.seed)
        with replacing(file) as partial:
            partial.write_bytes(png)
        yield f"![Images and their anomaly maps, seed {record.seed}]({file.name})"


def _heading(name: str, dataset: str, options: TrainOptions, records: Sequence[Record]) -> list[str]:
    changed: dict[str, Any] = options.options
    reduced = ", ".join(f"{key} {value}" for key, value in changed.items())
    where = ", as far as a method has them" if name == "table2" else ""
    recipe = f"preset {options.preset}" + (f" **with other options than it: {reduced}**{where}" if reduced else "")
    seeds = sorted({record.seed for record in records})
    runs = (read_run(record.folder) for record in records)
    parts = [
        f"# {PAGES[name][0]}, on {dataset}",
        f"Printed on {datetime.date.today()} by `medad reproduce {name}`: {recipe}, {options.precision}, "
        f"seeds {', '.join(map(str, seeds))}. Machine: {machines(runs)}.",
    ]
    if name not in NO_SHARES:
        parts.append(IN_PERCENT)
    return parts if options.preset == "paper" else [*parts, APART]
