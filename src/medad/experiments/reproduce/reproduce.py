"""``medad reproduce``: run an experiment of the paper and put its figures beside the published ones."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from medad.data.repartition import Repartition
from medad.errors import UserError
from medad.experiments import controls
from medad.experiments.deduplicated import clean_ids
from medad.experiments.grid.config import Grid
from medad.experiments.grid.engine import claimed_grid, run_grid, tabled
from medad.experiments.grid.results import Record, export_scores
from medad.experiments.reproduce.cells import MAKE
from medad.experiments.reproduce.document import OURS, Facts, document
from medad.experiments.reproduce.ocssl.command import reproduce_ocssl
from medad.experiments.reproduce.ocssl.stored import FOLDER as OCSSL
from medad.experiments.reproduce.pitfalls.command import reproduce_pitfalls
from medad.experiments.reproduce.pitfalls.experiments import NAMES as PITFALLS
from medad.experiments.stored import machines, root_of
from medad.files import replacing
from medad.reports.report import heat_maps
from medad.training.run_folder import read_run
from medad.workflows.options import TrainOptions


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

    The CSV file has the scores of every image, to compute other figures from; with it and ``out/NAME.yaml``
    ``medad results`` prints the page anew, where they lie among the stored results.

    Parameters
    ----------
    name : str
        A table or figure of Cai et al. (2023), see :data:`medad.experiments.reproduce.cells.MAKE`; or ``ocssl``, our
        own table of what unlabeled images are worth, whose rows say their own options and seeds; or one of `PITFALLS`,
        where residuals are blind, which has no seeds.
    data : Path
        Folder of a data set; of ``ocssl`` the folder that holds them, of `PITFALLS` also any folder of images.
    out : Path
        Folder of the grid; all experiments may share it, and then share trained networks.
    options : TrainOptions
        Preset, precision, device, and options that differ from the preset, which the page names.
    seeds : sequence of int
        Trainings of each cell.
    scheduler, workers, train
        See :func:`medad.experiments.grid.engine.run_grid`.
    stored : Path, optional
        Root of stored results, or the folder of this data set in it: what is there is not trained again.

    Returns
    -------
    int
        The number of cells that failed.

    Raises
    ------
    UserError
        If there is no such experiment, the data do not allow it, or there is nothing to print.
    """
    if name == OCSSL:
        print(reproduce_ocssl(data, out, workers))
        return 0
    if name in PITFALLS:
        print(reproduce_pitfalls(name, data, out, options, workers, train))
        return 0
    text, failed = carry_out(
        name, data, out, options, seeds=seeds, scheduler=scheduler, workers=workers, stored=stored, train=train
    )
    if text:
        print(text)
    return failed


def carry_out(
    name: str,
    data: Path,
    out: Path,
    options: TrainOptions,
    *,
    seeds: Sequence[int],
    scheduler: str | None = None,
    workers: int | None = None,
    stored: Path | None = None,
    train: bool = True,
) -> tuple[str, int]:
    """Do what `reproduce` does without printing; return the page, empty if all cells failed, and how many did."""
    if name not in MAKE:
        raise UserError(f"{name}: no such experiment; there are {', '.join((*MAKE, OCSSL, *PITFALLS))}")
    data = data.resolve()
    stored = None if stored is None else root_of(stored, data.name)
    if {entry.label for entry in Repartition.read(data).test} != {0, 1}:
        raise UserError(f"{data}: its test images need labels, of normal and of abnormal ones")
    pictures = [_picture(seed) for seed in seeds] if name == "fig9" else [f"{name}.yaml"]
    with claimed_grid(out, "reproduce", ("splits/", f"{name}.md", f"{name}.csv", *pictures)):
        cells = [cell for seed in dict.fromkeys(seeds) for cell in MAKE[name](data, out, replace(options, seed=seed))]
        grid = Grid(tuple(cells))
        records = run_grid(grid, out, scheduler=scheduler, workers=workers, stored=stored, train=train)
        if not records and not train:
            raise UserError(f"{out}: holds no run of {name} with these options; leave out `print_only`")
        if not records:
            return "", len(cells)
        tables = tabled(records, cells).get(data.name, {})
        facts, clean = _facts(data.name, options, records), clean_ids(data)
        beside = controls.section(data.name, stored, OURS) if stored else ()
        text = document(name, facts, tables, None if clean is None else frozenset(clean), beside)
        if name == "fig9":
            text = "\n\n".join([text.rstrip(), *_pictures(records, out)]) + "\n"
        with replacing(out / f"{name}.md") as partial:
            partial.write_text(text, encoding="utf-8")
        export_scores(records, out / f"{name}.csv")
        if name != "fig9":  # its pictures come from reports
            facts.write(out / f"{name}.yaml")
    return text, len(cells) - len(records) if train else 0


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


def _facts(dataset: str, options: TrainOptions, records: Sequence[Record]) -> Facts:
    seeds = sorted({record.seed for record in records})
    machine = machines(read_run(record.folder) for record in records)
    return Facts(dataset, options.preset, options.precision, machine, seeds, dict(options.options))
