"""Copy what tables are made from out of run folders: ``python -m medad.experiments.store RUN [RUN ...]``."""

import argparse
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from medad.errors import UserError
from medad.experiments.command import add_stored, run_command
from medad.experiments.stored import RESULTS, method_folder
from medad.files import replacing
from medad.training.run_folder import RUN_FILE, read_run

FILES = (RUN_FILE, "scores.csv", "metrics.json")  # first what shows whose the others are


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
        If the run is not evaluated, or the place is taken by anything but a run with these options and training images.
    """
    described = folder if (folder / "run.yaml").exists() else folder.parent
    run = read_run(described)
    missing = [name for name in FILES[1:] if not (folder / name).is_file()]
    if missing:
        raise UserError(f"{folder}: no {missing[0]}; name the folder of an evaluation of the run")
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


def main() -> None:
    """Store the runs named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m medad.experiments.store", description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path)
    add_stored(parser)
    parser.add_argument("--dataset", help="name of the scored images, if not those of the training")
    arguments = parser.parse_args()
    for folder in arguments.runs:
        print(store(folder, arguments.stored, arguments.dataset))


if __name__ == "__main__":
    run_command(main)
