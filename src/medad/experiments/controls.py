"""Stored controls: what brightness, texture, file size and thumbnails alone make of a data set's test images.

``python -m medad.experiments.controls DATASET --data $MEDAD_DATA`` writes ``docs/results/DATASET/controls/seedN/``
with ``scores.csv`` and ``about.yaml``. They learn from the images that a run with usual options learns from, 64 x 64
and grey. Phantoms are generated, anew for every seed.
"""

import argparse
import datetime
import os
import tempfile
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from medad.data.phantom.benchmark import phantom_benchmark
from medad.data.phantom.files import write_phantoms
from medad.data.preprocessing import Preprocessing
from medad.data.repartition import Repartition
from medad.errors import UserError
from medad.evaluation.controls import CONTROLS, Controls, is_control
from medad.evaluation.scores import ScoreTable, read_scores, write_scores
from medad.experiments.command import existing, run_command
from medad.experiments.phantom import SEEDS, SETS
from medad.experiments.store import RESULTS
from medad.files import replacing
from medad.workflows.options import TrainOptions
from medad.workflows.provenance import versions
from medad.workflows.splits import load, read_splits

__all__ = ["CONTROLS", "is_control", "store_controls", "stored_controls"]

FOLDER, SCORES, ABOUT = "controls", "scores.csv", "about.yaml"


def stored_controls(dataset: str, results: Path = RESULTS, seed: int = 0) -> ScoreTable | None:
    """Return the stored control scores of the test images of `dataset`, None where there are none.

    The columns are those of `CONTROLS` that there are, and ``pred_score``, which repeats one of them. Only phantoms
    have other seeds than 0: that of the images.
    """
    file = results / dataset / FOLDER / f"seed{seed}" / SCORES
    return read_scores(file) if file.exists() else None


def store_controls(dataset: str, data: Path, results: Path = RESULTS, train: str | None = None, seed: int = 0) -> Path:
    """Compute the controls of the test images of one data set and store them; return their folder.

    Parameters
    ----------
    dataset : str
        Name of the data set of the test images.
    data : Path
        Folder of data sets.
    results : Path
        Root of the stored results.
    train : str, optional
        Name of the data set whose normal and unlabeled images are learned from, if that is another.
    seed : int
        Of the folds of the regressions.

    Raises
    ------
    UserError
        If a data set cannot be read, or has no images of a kind that is needed.
    """
    options = TrainOptions(seed=seed)
    splits = read_splits(data / (train or dataset), None, options)
    entries = Repartition.read(data / dataset).test
    if not entries:
        raise UserError(f"{data / dataset}: no test images; list some in the split 'test'")
    images = load(entries, Preprocessing(options.size, options.channels), "test images", None)
    fitted = Controls.fit(splits.normal.unlabelled(), splits.unlabeled and splits.unlabeled.unlabelled(), seed)
    folder = results / dataset / FOLDER / f"seed{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    write_scores(folder / SCORES, _rounded(fitted.table(images)))
    command = f"python -m medad.experiments.controls {dataset}" + (f" --train {train}" if train else "")
    trained_on = {"name": train or dataset} | {k: v for k, v in splits.describe().items() if k != "test"}
    _describe(folder / ABOUT, command=command, seed=seed, data=trained_on)
    return folder


def _rounded(table: ScoreTable) -> ScoreTable:
    """Return scores of six significant digits, which keep the file small."""
    short = {name: [float(f"{x:.6g}") for x in values] for name, values in table.columns.items()}
    return replace(table, columns={name: np.array(values) for name, values in short.items()})


def _describe(file: Path, **sections: Any) -> None:
    machine = versions(torch.device("cpu")) | {"scikit-learn": version("scikit-learn")}
    content = {"date": datetime.date.today()} | sections | {"versions": machine}
    with replacing(file) as partial:
        partial.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def store_phantoms(level: str, results: Path = RESULTS) -> list[Path]:
    """Generate the phantoms of every seed and store their controls, as `store_controls` does."""
    folders = []
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as work:
            write_phantoms(Path(work) / SETS[level], phantom_benchmark(seed=seed, level=level))
            folders.append(store_controls(SETS[level], Path(work), results, seed=seed))
    return folders


def main() -> None:
    """Store the controls of one data set."""
    parser = argparse.ArgumentParser(prog="python -m medad.experiments.controls", description=__doc__)
    parser.add_argument("dataset")
    parser.add_argument("--train", help="name of the data set that is learned from, if another")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--data", type=Path, default=os.environ.get("MEDAD_DATA"), help="folder of data sets")
    given = parser.parse_args()
    results, levels = existing(given.results), {name: level for level, name in SETS.items()}
    if given.dataset in levels:
        folders = store_phantoms(levels[given.dataset], results)
    elif given.data is None:
        raise UserError("--data: name the folder of data sets, here or in the environment variable MEDAD_DATA")
    else:
        folders = [store_controls(given.dataset, given.data, results, given.train)]
    print(*folders, sep="\n")


if __name__ == "__main__":
    run_command(main)
