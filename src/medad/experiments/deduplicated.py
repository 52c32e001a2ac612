"""The test images of a leaking split that are no near-duplicates of training images.

``python -m medad.experiments.deduplicated brain_tumor --data $MEDAD_DATA`` writes their ids, which the data set's
de-duplicated split lists, to ``docs/results/brain_tumor/deduplicated.txt``: pages need no data set then.
"""

import argparse
import os
from collections.abc import Collection
from pathlib import Path

import numpy as np

from medad.data.repartition import Repartition
from medad.errors import UserError
from medad.evaluation.scores import ScoreTable
from medad.experiments.command import existing, run_command
from medad.experiments.store import RESULTS
from medad.files import replacing

SPLITS = ("data_deduplicated.json", "manifest_deduplicated.csv")
FILE = "deduplicated.txt"
Kept = frozenset[str] | None  # ids of the images of a de-duplicated test split, None where none is known
MEANING = (
    "*De-duplicated*: without the test images that have a near-duplicate in training; the whole test set leaks. AP is "
    "higher there where the share of abnormal images is."
)


def clean_ids(folder: Path) -> list[str] | None:
    """Return the ids of the test images in the de-duplicated split of the data set in `folder`, None without one."""
    split = next((folder / name for name in SPLITS if (folder / name).is_file()), None)
    return None if split is None else [entry.id for entry in Repartition.read(folder, split).test]


def split_told(folder: Path) -> str:
    """Say which split the test images of the data set in `folder` are."""
    return "published split" + (", which leaks" if clean_ids(folder) is not None else "")


def deduplicated(dataset: str, results: Path) -> Kept:
    """Return the ids stored for `dataset` below `results`; None where no de-duplicated split is known."""
    file = results / dataset / FILE
    return frozenset(file.read_text(encoding="utf-8").splitlines()) if file.exists() else None


def restrict(table: ScoreTable, kept: Collection[str]) -> ScoreTable:
    """Return the rows of `table` whose image is among `kept`."""
    wanted = frozenset(kept)
    return table.subset(np.flatnonzero([path in wanted for path in table.image_path]))


def write(dataset: str, data: Path, results: Path) -> Path:
    """Write the ids of `dataset`, a folder in `data`, below `results`; UserError if it has no de-duplicated split."""
    ids = clean_ids(data / dataset)
    if ids is None:
        raise UserError(f"{data / dataset}: has no {' or '.join(SPLITS)}")
    file = results / dataset / FILE
    with replacing(file) as partial:
        partial.write_text("".join(f"{name}\n" for name in ids), encoding="utf-8")
    return file


def main() -> None:
    """Write the ids of one data set."""
    parser = argparse.ArgumentParser(prog="python -m medad.experiments.deduplicated", description=__doc__)
    parser.add_argument("dataset")
    parser.add_argument("--data", type=Path, default=os.environ.get("MEDAD_DATA"), help="folder of data sets")
    parser.add_argument("--results", type=Path, default=RESULTS)
    a = parser.parse_args()
    if a.data is None:
        raise UserError("--data: name the folder of data sets, here or in the environment variable MEDAD_DATA")
    print(write(a.dataset, a.data, existing(a.results)))


if __name__ == "__main__":
    run_command(main)
