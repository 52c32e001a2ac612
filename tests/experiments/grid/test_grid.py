"""A grid runs every cell once, whatever is killed meanwhile."""

import csv
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from medad.cli.commands import main
from medad.experiments.grid import cell as cells
from medad.experiments.grid import engine as grid_run
from medad.experiments.grid.config import Cell, Data
from medad.experiments.grid.schedule import RETRIES, Local, OnDask, slurm_cluster
from medad.training import stopwatch
from medad.workflows.options import TrainOptions

GRID = """
data: [phantoms]
runs:
  - {method: ddad, backbone: ae, preset: tiny, device: cpu, jobs: 1, options: {refine: [true, false], steps: 40}}
"""


@pytest.fixture
def grid(tmp_path, phantoms):
    file = tmp_path / "grid.yaml"
    file.write_text(GRID)
    return [str(file), "--data", str(phantoms.parent), "--out", str(tmp_path / "out")]


def rows(out):
    with closing(sqlite3.connect(out / "results.sqlite")) as db:
        if not list(db.execute("SELECT * FROM sqlite_master")):
            return []  # it is just being made
        return list(db.execute("SELECT label, seed, error, finished, scores FROM cells ORDER BY 1, 2"))


def wait_until(true, seconds=240):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def times(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir() if path.suffix == ".safetensors"}


@pytest.mark.integration
def test_a_killed_grid_goes_on_and_nothing_is_computed_twice(grid, tmp_path):
    out = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-m", "medad", "benchmark", *grid, "--workers", "1"], start_new_session=True
    )
    try:
        wait_until(lambda: (out / "results.sqlite").exists() and len(rows(out)) >= 1)
        wait_until(lambda: len(list((out / "cells").iterdir())) >= 2)
    finally:
        process.send_signal(signal.SIGKILL)  # the grid's process alone: its cell must not outlive it
        process.wait()
    before, networks = rows(out), times(out / "store")
    assert len(before) == 1
    assert main(["benchmark", *grid, "--report"]) == 0
    after = rows(out)
    assert len(after) == 2
    assert set(before) <= set(after)
    stored = times(out / "store")
    assert networks.items() <= stored.items()
    assert len(stored) == 4 + 2  # members, which both runs have in common, and two ASR-Nets
    assert not list((out / "cells").glob("*/checkpoint"))
    assert not list((out / "cells").glob("*/*.safetensors"))
    with (out / "results.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert {line["label"] for line in lines} == {"ddad-ae, refine True", "ddad-ae, refine False"}
    page = out / "report" / "index.html"
    reports = {(page.parent / address).resolve() for address in re.findall('<a href="([^"]+)">seed', page.read_text())}
    assert reports == {path.resolve() for path in out.glob("cells/*/report.html")} and len(reports) == 2
    assert "ddad-ae, refine True" in page.read_text()
    assert main(["benchmark", *grid]) == 0
    assert rows(out) == after


def test_a_cell_is_finished_when_its_report_is_written(tmp_path):
    request = cells.Request("k", "data", None, str(tmp_path), str(tmp_path), {})
    for name in ("scores.csv", "metrics.json", "run.yaml"):
        (tmp_path / name).touch()
    assert not request.finished
    (tmp_path / "report.html").touch()
    assert request.finished


@pytest.mark.integration
def test_a_grid_without_labels_says_why_there_is_no_report(grid, tmp_path, phantoms, capsys):
    for name in ("normal", "unlabeled"):
        (tmp_path / "plain" / name).mkdir(parents=True)
        for i in range(2):
            shutil.copy(phantoms / "images" / f"normal_{i:04}.png", tmp_path / "plain" / name / f"{name}_{i}.png")
    run = "{method: ae, preset: tiny, device: cpu, jobs: 1}"
    (tmp_path / "grid.yaml").write_text(f"data: [{tmp_path / 'plain'}]\nruns: [{run}]\n")
    assert main(["benchmark", *grid, "--report"]) == 0
    assert "no report: no cell has ended well on test images with labels of both classes" in capsys.readouterr().err
    (address,) = re.findall('<a href="([^"]+)">seed 0', (tmp_path / "out" / "cells.html").read_text())
    assert "no threshold" in (tmp_path / "out" / address).read_text().lower()


@pytest.mark.integration
def test_a_failed_cell_stops_no_other_and_is_tried_again(grid, tmp_path, phantoms, capsys):
    poor = tmp_path / "poor"
    for name in ("normal", "test/normal"):
        (poor / name).mkdir(parents=True)
        shutil.copy(phantoms / "images" / "normal_0000.png", poor / name / "a.png")
    (tmp_path / "grid.yaml").write_text(
        f"data: [{poor}, phantoms]\nruns: [{{method: ae, preset: tiny, device: cpu}}]\n"
    )
    assert main(["benchmark", *grid]) == 1
    assert "failed: ae on poor, seed 0: 1 normal image(s): at least 2 are needed" in capsys.readouterr().err
    found = rows(tmp_path / "out")
    assert sorted(bool(error) for _, _, error, _, _ in found) == [False, True]
    os.remove(poor / "test/normal/a.png")
    assert main(["benchmark", *grid, "--report"]) == 1  # with another reason
    assert "ae on poor, seed 0: " in (tmp_path / "out" / "report" / "table.md").read_text()
    assert {error for _, _, error, _, _ in rows(tmp_path / "out")} > {error for _, _, error, _, _ in found}


def test_options_that_a_method_does_not_have_are_refused_before_anything_runs(grid, tmp_path, capsys):
    (tmp_path / "grid.yaml").write_text("data: [phantoms]\nruns: [{method: ae, options: {latent: [8, huge]}}]\n")
    assert main(["benchmark", *grid]) == 2
    assert "run 'ae, latent huge': latent='huge': expected a whole number" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.integration
def test_a_dead_dask_worker_is_replaced(grid, tmp_path):
    distributed = pytest.importorskip("distributed")
    out = tmp_path / "out"
    run = "{method: ae, preset: tiny, device: cpu, jobs: 1}"
    (tmp_path / "grid.yaml").write_text(f"data: [phantoms]\nseeds: [0, 1]\nruns: [{run}]\n")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        command = [sys.executable, "-m", "medad", "benchmark", *grid, "--scheduler", cluster.scheduler_address]
        process = subprocess.Popen(command)
        try:
            wait_until(lambda: len(list(out.glob("cells/*/checkpoint/*.safetensors"))) >= 1)
            os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)
            assert process.wait(timeout=300) == 0
        finally:
            process.kill()
            process.wait()
    found = rows(out)
    assert len(found) == 2
    assert not any(error for _, _, error, _, _ in found)
    assert len(times(out / "store")) == 2


def test_a_cell_that_is_killed_again_and_again_fails_with_a_reason(tmp_path, monkeypatch):
    monkeypatch.setattr(cells, "_spawn", lambda request: spawned.append(1) or -9)
    spawned = []
    request = cells.Request("k", "data", None, str(tmp_path), str(tmp_path), {})
    outcome = cells.attempt(request)
    assert len(spawned) == cells.ATTEMPTS
    assert "killed by signal 9, 3 times: out of memory?" in outcome.error


def test_seconds_of_a_cell_are_summed_over_attempts_and_calls(tmp_path, monkeypatch):
    now, ends = SimpleNamespace(seconds=0.0), iter([-9, KeyboardInterrupt, -9, -9, 0])
    both = {"monotonic": lambda: now.seconds, "time": lambda: now.seconds}
    monkeypatch.setattr(stopwatch, "time", SimpleNamespace(**both))

    def work(request):
        now.seconds += 10.0
        end = next(ends)
        if end is KeyboardInterrupt:
            raise end
        return end

    monkeypatch.setattr(cells, "_spawn", work)
    request = cells.Request("k", "data", None, str(tmp_path), str(tmp_path), {})
    with pytest.raises(KeyboardInterrupt):
        cells.attempt(request)
    now.seconds += 1000.0
    assert cells.attempt(request) == cells.Outcome("k", "", 50.0)


def test_local_results_come_as_they_are_made_and_an_error_stops_no_other():
    found = dict(Local(2, 2, lambda x: 1)(lambda x: 6 // x, [0, 1, 2, 3]))
    assert isinstance(found.pop(0), ZeroDivisionError)
    assert found == {1: 6, 2: 3, 3: 2}


@pytest.mark.parametrize(("workers", "cores"), [(9, 4), (2, 4), (1, 4), (9, 1)])
def test_cells_never_take_more_cores_than_there_are(workers, cores):
    sizes, lock, now, peaks, begun = [1, 2, 1, 7, 2, 3, 1, 1, 1, 1], threading.Lock(), [], [], []

    def work(i):
        with lock:
            begun.append(i)
            now.append(sizes[i])
            peaks.append(list(now))
        time.sleep(0.1)  # long enough to overlap on a busy machine
        with lock:
            now.remove(sizes[i])

    found = [i for i, _ in Local(workers, cores, lambda i: sizes[i])(work, range(10))]
    assert sorted(found) == list(range(10))
    assert begun[3] == 3  # the large one neither overtakes nor is overtaken
    assert all(len(peak) <= workers for peak in peaks)
    assert all(sum(peak) <= cores or len(peak) == 1 for peak in peaks)
    assert max(map(len, peaks)) == min(workers, 3 if cores == 4 else 1)


def test_cores_that_cells_take(monkeypatch):
    def taken(workers=16, **options):
        cell = Cell(Data("x", Path("x")), "x", TrainOptions(**{"device": "cpu"} | options))
        return grid_run._cores(cell, grid_run._detector(cell), workers)

    monkeypatch.setattr(grid_run, "cores", lambda: 16)
    assert taken(method="ae") == 1
    assert taken(method="ganomaly") == taken(method="ddad", backbone="ae") == 2
    assert taken(method="ddad", backbone="ae", options={"refine": False}) == 1
    assert taken(method="ae", workers=4) == 4
    assert taken(method="ganomaly", jobs=3) == 3
    assert taken(method="ganomaly", jobs=1) == 2  # its threads are a constant of the method


# Undoes what the process that runs the tests may hand down: one in the background ignores Ctrl-C.
HEARING = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
from medad.cli.commands import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.integration
def test_ctrl_c_ends_a_grid_at_once_and_it_goes_on(grid, tmp_path):
    out = tmp_path / "out"
    (tmp_path / "grid.yaml").write_text(GRID.replace("steps: 40", "steps: 400"))
    command = [sys.executable, "-c", HEARING, "benchmark", *grid, "--workers", "1"]
    process = subprocess.Popen(command, start_new_session=True)
    try:
        wait_until(lambda: list(out.glob("cells/*/checkpoint/*.safetensors")))  # one member of four is finished
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: all that belong to it
        assert process.wait(timeout=240) == 130
    finally:
        process.kill()
        process.wait()
    assert rows(out) == []
    (folder,) = (out / "cells").iterdir()
    assert list(folder.glob("checkpoint/*.partial.safetensors"))


def test_cells_that_dask_blames_for_a_dead_worker_are_tried_alone(tmp_path):
    distributed = pytest.importorskip("distributed")
    log = tmp_path / "begun"  # a file, since Dask calls a copy of the function

    def work(item):
        with log.open("a") as file:
            file.write(f"{item}\n")
        if item == "deadly" or (item == "beside it" and log.read_text().count(item) <= 1 + RETRIES):
            raise distributed.KilledWorker(item, SimpleNamespace(address="there"), 3)
        return item

    # Dask's own error, raised by the cell: on busy cores, a worker that really dies may take minutes to be replaced.
    settings = {"processes": False, "n_workers": 1, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.Client(**settings) as client:
        found = dict(OnDask(client)(work, ["deadly", "beside it", "well"]))
    assert isinstance(found.pop("deadly"), distributed.KilledWorker)
    assert found == {"beside it": "beside it", "well": "well"}
    assert Counter(log.read_text().splitlines()) == {"deadly": 2 * (1 + RETRIES), "beside it": 2 + RETRIES, "well": 1}


def test_the_script_for_slurm():
    pytest.importorskip("dask_jobqueue")
    wanted = {"cores": 4, "memory": "16GB", "walltime": "04:00:00", "queue": "gpu"}
    with slurm_cluster(wanted | {"job_extra_directives": ["--gres=gpu:1"]}) as cluster:
        script = cluster.job_script()
    for line in ("#SBATCH -p gpu", "#SBATCH -n 1", "#SBATCH --cpus-per-task=4", "#SBATCH -t 04:00:00", "--gres=gpu:1"):
        assert line in script
    assert f"{sys.executable} -m distributed.cli.dask_worker" in script


@pytest.mark.integration
def test_runs_of_equal_options_are_run_once_and_stand_under_both_names(grid, tmp_path):
    run = "{method: ae, preset: tiny, device: cpu, name: %s}"
    (tmp_path / "grid.yaml").write_text(f"data: [phantoms]\nruns: [{run % 'one'}, {run % 'two'}]\n")
    assert main(["benchmark", *grid, "--report"]) == 0
    assert len(rows(tmp_path / "out")) == 1
    text = (tmp_path / "out" / "report" / "table.md").read_text()
    assert "| one |" in text
    assert "| two |" in text
