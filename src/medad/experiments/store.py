"""Stored results: ``docs/results/DATASET/METHOD/seedN/`` with scores.csv, metrics.json and run.yaml.

``python -m medad.experiments.store RUN [RUN ...]`` copies what tables are made from out of run folders.
"""

import argparse
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medad.errors import UserError
from medad.evaluation.scores import ScoreTable, read_scores
from medad.experiments.command import run_command
from medad.files import replacing
from medad.training.run_folder import RUN_FILE, read_run

RESULTS = Path("docs/results")
USUAL = {"size": 64, "channels": 1, "ensemble_size": None, "unlabeled_size": None, "anomaly_rate": 0.6}
FILES = (RUN_FILE, "scores.csv", "metrics.json")  # first what shows whose the others are


@dataclass(frozen=True)
class Result:
    """A stored run: where it lies, its ``run.yaml``, its scores and its ``metrics.json``."""

    folder: Path
    run: dict[str, Any]
    scores: ScoreTable
    metrics: dict[str, Any]

    @property
    def method(self) -> str:
        """Name of the method's folder, e.g. ``ddad-aeu`` or ``ddad-ae-bf16``."""
        return self.folder.parent.name


def method_folder(run: Mapping[str, Any]) -> str:
    """Return the name under which a run is stored: its method and what differs from preset paper in fp32."""
    parts = [run["method"], run["options"].get("backbone", "")]
    parts += [run["config"]["preset"].replace("paper", "")]
    given = {name: run["config"].get(name) for name, usual in USUAL.items() if run["config"].get(name, usual) != usual}
    parts += [f"{name}-{value}" for name, value in (given | run["config"].get("options", {})).items()]
    parts += [run["precision"].replace("fp32", "")]
    return "-".join(filter(None, parts))


def store(folder: Path, results: Path = RESULTS, dataset: str | None = None) -> Path:
    """Copy the small files of the run in `folder` to `results`; return where they lie now.

    Parameters
    ----------
    folder : Path
        A run folder, or a folder with an evaluation of the run in its parent.
    results : Path
        Root of the stored results.
    dataset : str, optional
        Name of the images that the scores are of; by default those that the run was trained on.

    Raises
    ------
    UserError
        If the place is taken by anything but a run with these options and training images.
    """
    described = folder if (folder / "run.yaml").exists() else folder.parent
    run = read_run(described)
    target = results / (dataset or run["data"]["name"]) / method_folder(run) / f"seed{run['seed']}"
    _check_place(target, run)
    target.mkdir(parents=True, exist_ok=True)
    copy_files(folder, target, described)
    return target


def _check_place(target: Path, run: Mapping[str, Any]) -> None:
    """Refuse to replace anything but an earlier copy of the same training, or of one that repeats it."""
    links = [path for path in (target, *(target / name for name in FILES)) if path.is_symlink()]
    if links:
        raise UserError(f"{links[0]}: is a link; remove it first")
    taken = [name for name in FILES if (target / name).exists()]
    if taken and RUN_FILE not in taken:
        raise UserError(f"{target / taken[0]}: not known to be of a stored run; move it away first")
    there = read_run(target) if taken else run
    if any(there.get(part) != run[part] for part in ("config", "options")):
        raise UserError(f"{target}: holds a run with other options; remove it first")
    if any(there["data"].get(name) != run["data"].get(name) for name in ("normal", "unlabeled")):
        raise UserError(f"{target}: holds a run with other training images; remove it first")


def copy_files(folder: Path, target: Path, described: Path | None = None) -> None:
    """Copy `FILES` of a run, its ``run.yaml`` from `described` if that is another folder, each whole or not at all."""
    for name in FILES:
        with replacing(target / name) as partial:
            shutil.copyfile((described or folder if name == RUN_FILE else folder) / name, partial)


def machines(runs: Iterable[Mapping[str, Any]]) -> str:
    """Return on what kinds of machine runs were made, given what their ``run.yaml`` say."""
    return "; ".join(sorted({f"{run['versions']['cpu']}, torch {run['versions']['torch']}" for run in runs}))


def stored(dataset: str, results: Path = RESULTS) -> Iterator[Result]:
    """Yield the stored runs of `dataset`, sorted by method and seed."""
    for run in sorted((results / dataset).glob("*/seed*/run.yaml")):
        metrics = json.loads((run.parent / "metrics.json").read_text(encoding="utf-8"))
        yield Result(run.parent, read_run(run.parent), read_scores(run.parent / "scores.csv"), metrics)


def root_of(folder: Path, dataset: str) -> Path:
    """Return the root of stored results, given it or the folder of `dataset` in it.

    Raises
    ------
    UserError
        If it is neither.
    """
    folder = folder.resolve()
    if (folder / dataset).is_dir():
        return folder
    if folder.name == dataset and any(folder.glob("*/seed*/run.yaml")):
        return folder.parent
    raise UserError(f"--stored {folder}: give the folder that holds {dataset}/METHOD/seedN, or that {dataset}")


def main() -> None:
    """Store the runs named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m medad.experiments.store", description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--dataset", help="name of the scored images, if not those of the training")
    arguments = parser.parse_args()
    for folder in arguments.runs:
        print(store(folder, arguments.results, arguments.dataset))


if __name__ == "__main__":
    run_command(main)
