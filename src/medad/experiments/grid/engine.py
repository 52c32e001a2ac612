"""``medad benchmark``: run all cells of a grid that have not been run yet."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from medad.cores import cores
from medad.data.repartition import Repartition
from medad.detectors.contract.detector import Detector
from medad.detectors.registry import make_detector
from medad.errors import UserError
from medad.evaluation.scores import ScoreTable
from medad.experiments.grid.cell import Outcome, Request, attempt, claimed_cell
from medad.experiments.grid.config import Cell, Data, Grid, read_grid, same_options
from medad.experiments.grid.results import CELLS, Record, Results, export_csv, last_line
from medad.experiments.grid.schedule import open_scheduler
from medad.experiments.store import copy_files
from medad.experiments.stored import Result
from medad.experiments.stored import stored as stored_runs
from medad.files import check_locks
from medad.ownership import claimed
from medad.progress import progress
from medad.reports.benchmark import write_benchmark
from medad.reports.benchmark_cells import write_cells
from medad.workflows.notes import say
from medad.workflows.splits import learned_from, read_splits

RESULTS, CSV, INDEX, STORE, REPORT = "results.sqlite", "results.csv", "cells.html", "store", "report"
OF_GRID = (RESULTS, f"{RESULTS}-journal", f"{CELLS}/", f"{STORE}/")
CORES_BESIDE_A_GPU = 2  # that a cell takes which trains there: fewer cells at a time share the GPU


def benchmark(
    config: Path,
    *,
    data: Path | None = None,
    out: Path,
    scheduler: str | None = None,
    workers: int | None = None,
    report: bool = False,
) -> int:
    """Run a grid; the same call goes on where it was stopped, and runs failed cells again.

    Parameters
    ----------
    config : Path
        The grid, see :func:`medad.experiments.grid.config.read_grid`.
    data : Path, optional
        To which its folders of data are relative.
    out : Path
        Folder of ``results.sqlite`` and ``results.csv``, of the cells' folders (``cells.html`` has their names), and
        of the networks that cells have in common (``store``, which may be deleted when the grid is finished).
    scheduler : str, optional
        ``"slurm"``, or the address of a Dask scheduler whose workers see the same folders.
    workers : int, optional
        Most cells at a time; locally as many as the cores allow by default, on SLURM one.
    report : bool
        Write tables and a page to ``out/report``.

    Returns
    -------
    int
        The number of cells that failed.

    Raises
    ------
    UserError
        If the configuration, a data set or the scheduler does not allow it.
    """
    grid = read_grid(config, data)
    for cell in grid.cells:
        _detector(cell)  # or it is said what is wrong with it
    with claimed_grid(out, "benchmark", (CSV, INDEX, *[f"{REPORT}/"] * report)):
        records = run_grid(grid, out, scheduler=scheduler, workers=workers)
        export_csv(records, out / CSV)
        reports = [record.report for record in records]
        write_cells(reports, out / INDEX)
        tables = tabled(records, grid.cells)
        if report and tables:
            left_out = _left_out(records, grid.cells, out)
            page = write_benchmark(tables, out / REPORT, left_out, reports, _controls(records))
            print(f"report: {page}")
        elif report:
            say("no report: no cell has ended well on test images with labels of both classes")
    return len(grid.cells) - len(records)


def claimed_grid(out: Path, command: str, names: Iterable[str]) -> AbstractContextManager[Path]:
    """Claim `out` for a grid and `names` beside it; one without marker is older if it holds results of a grid."""
    wanted = (*OF_GRID, *names)
    return claimed(out, command, wanted, earlier=wanted if Results.are_in(out / RESULTS) else ())


def run_grid(
    grid: Grid,
    out: Path,
    *,
    scheduler: str | None = None,
    workers: int | None = None,
    stored: Path | None = None,
    train: bool = True,
) -> list[Record]:
    """Run the cells of `grid` that have not ended well yet, and return all that have.

    Parameters
    ----------
    grid : Grid
        The cells.
    out, scheduler, workers
        See :func:`benchmark`, also for the errors; `out` is claimed.
    stored : Path, optional
        Root of stored results (:mod:`medad.experiments.stored`): what is there is not trained again.
    train : bool
        Otherwise return what there is.
    """
    check_locks(out)
    detectors = [_detector(cell) for cell in grid.cells]  # or it is said what is wrong with them
    prints = {where: Repartition.read(where.path, where.split).fingerprint for where in _unique(grid.cells)}
    keys = [
        cell.key(prints[cell.data], detector.recipe_version, asdict(detector.options) | detector.options.of_training())
        for cell, detector in zip(grid.cells, detectors, strict=True)
    ]
    cells = dict(zip(keys, grid.cells, strict=True))  # cells of equal options are run once
    results = Results(out / RESULTS)
    if stored is not None:
        _adopt(cells, out, results, stored)
    missing = set(cells) - results.finished()
    here = scheduler is None
    workers = workers or (max(min(cores(), len(missing)), 1) if here else 1)
    takes = {key: _cores(cell, d, workers) for key, cell, d in zip(keys, grid.cells, detectors, strict=True)}
    jobs = takes if here else {}
    waiting = [_request(key, cell, out, jobs.get(key)) for key, cell in cells.items() if key in missing]
    say(f"{len(cells)} cells, {len(cells) - len(waiting)} of them done")
    waiting = waiting if train else []
    with (
        open_scheduler(scheduler, workers, grid.slurm, lambda request: takes[request.key]) as schedule,
        progress(len(waiting), "cells") as advance,
    ):
        for request, found in schedule(attempt, waiting):
            outcome = found if isinstance(found, Outcome) else Outcome(request.key, _told(found), 0.0)
            _note(outcome, cells[outcome.key], out, results)
            advance(1)
    return results.records(keys, grid.cells)


def tabled(records: Sequence[Record], cells: Sequence[Cell]) -> dict[str, dict[str, list[ScoreTable]]]:
    """Return the scores by data set and label, both in the order of the grid, one table per seed.

    Data sets without labels of both classes are left out.
    """
    found: dict[str, dict[str, list[ScoreTable]]] = {}
    for cell in cells:
        some = [r.scores for r in records if r.comparable and (r.data, r.label) == (cell.data.name, cell.label)]
        if some:
            found.setdefault(cell.data.name, {})[cell.label] = some
    return found


def _controls(records: Sequence[Record]) -> dict[str, dict[str, Any]]:
    """Return the figures of the trivial controls by data set: those of its first cell that has any."""
    found: dict[str, dict[str, Any]] = {}
    for record in records:
        if controls := record.metrics.get("controls"):
            found.setdefault(record.data, controls)
    return found


def _left_out(records: Sequence[Record], cells: Sequence[Cell], out: Path) -> list[str]:
    """Say which cells are not in the tables, and why."""
    comparable = {(r.data, r.label, r.seed): r.comparable for r in records}
    failures = Results(out / RESULTS).failures()
    lines = []
    for place in ((cell.data.name, cell.label, cell.options.seed) for cell in cells):
        if not comparable.get(place):
            why = "no labels of both classes" if place in comparable else failures.get(place, "not run")
            lines.append(f"{place[1]} on {place[0]}, seed {place[2]}: {why}")
    return lines


def _adopt(cells: Mapping[str, Cell], out: Path, results: Results, stored: Path) -> None:
    """Take stored runs with the options of a cell, which learnt from its images and were tested on them, for it."""
    finished = results.finished()
    for key, cell in cells.items():
        place = stored / cell.data.name
        if key in finished or cell.data.split is not None or not place.exists():
            continue
        tested = {entry.id: entry.label for entry in Repartition.read(cell.data.path).test}
        for run in stored_runs(cell.data.name, stored):
            if same_options(run.run["config"], cell.options) and _tested(run.scores) == tested and _learnt(run, cell):
                with claimed_cell(out / CELLS / key) as folder:
                    copy_files(run.folder, folder)
                results.write(key, cell, run.folder, "", run.run["timings"]["fit_seconds"])


def _tested(scores: ScoreTable) -> dict[str, int | None]:
    labels = [None] * len(scores) if scores.gt_label is None else scores.gt_label.tolist()
    return dict(zip(scores.image_path, labels, strict=True))


def _learnt(run: Result, cell: Cell) -> bool:
    """Whether `run` learnt from the images of `cell`: these are read."""
    images = read_splits(cell.data.path, cell.data.split, cell.options).describe()
    return learned_from(images, run.run["data"])


def _detector(cell: Cell) -> Detector:
    options = cell.options
    try:
        return make_detector(options.method, options.preset, **options.detector_options())
    except UserError as error:
        raise UserError(f"run {cell.label!r}: {error}") from error


def _cores(cell: Cell, detector: Detector, workers: int) -> int:
    """Return how many cores a cell takes on this machine, with so many at a time."""
    on_cpu = "cpu" in (cell.options.device, detector.device.type)
    least = detector.most_threads if on_cpu else max(detector.most_threads, CORES_BESIDE_A_GPU)
    return max(least, cell.options.jobs or cores() // workers)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _unique(cells: tuple[Cell, ...]) -> list[Data]:
    return list(dict.fromkeys(cell.data for cell in cells))


def _request(key: str, cell: Cell, out: Path, jobs: int | None) -> Request:
    options = replace(cell.options, jobs=cell.options.jobs or jobs)
    split = str(cell.data.split) if cell.data.split else None
    root = out.resolve()
    return Request(key, str(cell.data.path), split, str(root / CELLS / key), str(root / STORE), asdict(options))


def _note(outcome: Outcome, cell: Cell, out: Path, results: Results) -> None:
    results.write(outcome.key, cell, out / CELLS / outcome.key, outcome.error, outcome.seconds)
    if outcome.error:
        say(f"failed: {cell.label} on {cell.data.name}, seed {cell.options.seed}: {last_line(outcome.error)}")
