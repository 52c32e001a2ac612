"""Stored controls: what brightness, texture, file size and thumbnails alone make of a data set's test images.

``python -m medad.experiments.studies.controls DATASET --data $MEDAD_DATA`` writes
``docs/results/DATASET/controls/seedN/`` with ``scores.csv`` and ``about.yaml``. They learn from the images that a run
with usual options learns from, 64 x 64 and grey. Phantoms are generated, anew for every seed.
"""

import datetime
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
from medad.data.repartition import Repartition
from medad.errors import UserError
from medad.evaluation.controls import Controls
from medad.evaluation.scores import ScoreTable, write_scores
from medad.experiments.command import add_data, add_stored, data_folder, existing, run_command, study_parser
from medad.experiments.stored import RESULTS, controls_folder
from medad.experiments.studies.phantom import SEEDS, SETS
from medad.files import replacing
from medad.workflows.options import TrainOptions
from medad.workflows.provenance import versions
from medad.workflows.splits import load, read_splits


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
    images = load(entries, options.preprocessing, "test images", None)
    fitted = Controls.fit(splits.normal.unlabelled(), splits.unlabeled and splits.unlabeled.unlabelled(), seed)
    folder = controls_folder(dataset, results, seed)
    folder.mkdir(parents=True, exist_ok=True)
    write_scores(folder / "scores.csv", _rounded(fitted.table(images)))
    command = f"python -m medad.experiments.studies.controls {dataset}" + (f" --train {train}" if train else "")
    trained_on = {"name": train or dataset} | {k: v for k, v in splits.describe().items() if k != "test"}
    _describe(folder / "about.yaml", command=command, seed=seed, data=trained_on)
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
    parser = study_parser("controls", __doc__)
    parser.add_argument("dataset")
    parser.add_argument("--train", help="name of the data set that is learned from, if another")
    add_stored(parser)
    add_data(parser)
    given = parser.parse_args()
    results, levels = existing(given.stored), {name: level for level, name in SETS.items()}
    if given.dataset in levels:
        folders = store_phantoms(levels[given.dataset], results)
    else:
        folders = [store_controls(given.dataset, data_folder(given.data), results, given.train)]
    print(*folders, sep="\n")


if __name__ == "__main__":
    run_command(main)
