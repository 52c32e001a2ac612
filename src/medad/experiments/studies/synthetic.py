"""What methods that learn from pasted anomalies find, after their last epoch and after one chosen without labels.

``python -m medad.experiments.studies.synthetic --data $MEDAD_DATA`` trains each of them once on every data set, plain
and with unlabeled images as sources (starred), on four fifths of the images; scores the others and the test images
after every so many epochs; and writes ``docs/results/DATASET/synthetic/``, from which the page is printed. A row that
is stored is not computed again.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from medad.data.imageset import ImageSet
from medad.evaluation.metrics import auroc
from medad.experiments.command import add_data, add_stored, data_folder, existing, run_command, study_parser
from medad.experiments.reproduce.ocssl.stored import read_about, write_images, write_row
from medad.experiments.stored import RESULTS
from medad.workflows.crossfit import Pools
from medad.workflows.learning import ScoreByLength, train_snapshots
from medad.workflows.notes import say
from medad.workflows.options import TrainOptions
from medad.workflows.provenance import versions
from medad.workflows.select import with_epochs
from medad.workflows.splits import Splits, load, read_splits
from medad.workflows.train import detector_of

FOLDER = "synthetic"
METHODS = ("fpi", "pii", "nsa", "cutpaste_e2e")
DATASETS = ("brain_tumor", "pediatric_cxr")
SNAPSHOTS = 10  # of a training, equally far apart
SCORES = ("pred_score", "max", "top")


@dataclass(frozen=True)
class Row:
    """A method under a preset, starred where unlabeled images are sources of what is pasted."""

    method: str
    starred: bool
    preset: str

    @property
    def name(self) -> str:
        """Of its files."""
        marks = (self.method, "starred" * self.starred, self.preset.replace("paper", ""))
        return "-".join(filter(None, marks))

    def of(self, options: TrainOptions) -> TrainOptions:
        """Return `options`, of its preset, with this method."""
        return replace(options, method=self.method, options=options.options | {"use_unlabeled": self.starred})


def rows_of(preset: str, methods: Sequence[str] = METHODS) -> list[Row]:
    """Return the rows of a preset."""
    return [Row(method, starred, preset) for method in methods for starred in (False, True)]


def store_rows(
    dataset: str,
    data: Path,
    results: Path = RESULTS,
    options: TrainOptions | None = None,
    methods: Sequence[str] = METHODS,
    epochs: int | None = None,
) -> Path:
    """Compute the rows of a data set that are not stored; each is written as soon as it is there.

    Parameters
    ----------
    dataset, data : str, Path
        Name of the data set, and the folder that holds it.
    results : Path
        Root of the stored results.
    options : TrainOptions, optional
        All but the method; preset quick by default.
    methods : sequence of str
        Which are asked for.
    epochs : int, optional
        Length of training; that of the preset by default.

    Returns
    -------
    Path
        The folder of the rows.
    """
    folder, options = results / dataset / FOLDER, options or of_preset("quick")
    missing = [row for row in rows_of(options.preset, methods) if read_about(folder, row.name) is None]
    if missing:
        splits = read_splits(data / dataset, None, options)
        test = load(splits.test, options.preprocessing, "test images", options.jobs)
        folder.mkdir(parents=True, exist_ok=True)
        write_images(folder, test)
        for row in missing:
            say(f"{dataset}: {row.name}")
            _store(row, row.of(options), splits, test, folder, epochs)
    return folder


def of_preset(preset: Any, **given: Any) -> TrainOptions:
    """Return the options of all methods under a preset: they see images of one size."""
    return TrainOptions(method=METHODS[0], preset=preset, **given)


def _store(row: Row, options: TrainOptions, splits: Splits, test: ImageSet, folder: Path, epochs: int | None) -> None:
    """Train, judge and score a row, and write it."""
    last = epochs or detector_of(options).options.epochs
    options = with_epochs(options, last)
    detector = detector_of(options)
    assert splits.unlabeled is not None
    pools = Pools(splits.normal.unlabelled(), splits.unlabeled.unlabelled())
    train, held_out = pools.folds(options.seed)[0]
    began = time.monotonic()
    with pools.part(train) as given:
        score = train_snapshots(options, _lengths(last), *given)
    seconds = time.monotonic() - began
    auc_u = _judged(score, pools, held_out)
    moments = {"last": last, "chosen": max(auc_u, key=auc_u.__getitem__)}
    found = score(test.unlabelled())
    scores = {f"{moment}-{name}": found[n][name] for moment, n in moments.items() for name in SCORES}
    about = {
        "method": row.method,
        "preset": options.preset,
        "seed": options.seed,
        "precision": options.precision,
        "options": asdict(detector.options),
        "learned": _counts(pools, train),
        "judged": _counts(pools, held_out),
        "test": len(test),
        "epochs": moments,
        "auc_u": {n: round(value, 5) for n, value in auc_u.items()},
        "seconds": round(seconds),
        "versions": versions(detector.device),
    }
    write_row(folder, row.name, scores, about)


def _counts(pools: Pools, rows: np.ndarray) -> dict[str, int]:
    unlabeled = int(pools.unlabeled_labels[rows].sum())
    return {"normal": len(rows) - unlabeled, "unlabeled": unlabeled}


def _lengths(last: int) -> list[int]:
    """Return the epochs after which images are scored, the last among them."""
    return list(range(last, 0, -max(last // SNAPSHOTS, 1)))[::-1]


def _judged(score: ScoreByLength, pools: Pools, held_out: np.ndarray) -> dict[int, float]:
    """Return by epoch how well held-out unlabeled images are told from held-out normal ones."""
    with pools.part(held_out) as parts:
        normal, unlabeled = (score(images) for images in parts)
    labels = pools.unlabeled_labels[held_out]
    both = {n: np.concatenate([found[n]["pred_score"] for found in (normal, unlabeled)]) for n in normal}
    return {n: auroc(labels, values) for n, values in both.items()}


def main() -> None:
    """Store the rows of our data sets."""
    parser = study_parser("synthetic", __doc__)
    parser.add_argument("datasets", nargs="*", default=list(DATASETS), help=f"by default {' '.join(DATASETS)}")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS), help="all by default")
    parser.add_argument("--preset", choices=("paper", "standard", "quick"), default="quick", help="quick by default")
    parser.add_argument("--epochs", type=int, help="length of training; that of the preset by default")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32", help="fp32 by default")
    parser.add_argument("--device", default="auto", help="auto (CUDA when there), cpu, cuda or cuda:N")
    parser.add_argument("--jobs", type=int, help="processes; all cores by default")
    add_stored(parser)
    add_data(parser)
    given = parser.parse_args()
    data, stored = data_folder(given.data), existing(given.stored)
    options = of_preset(given.preset, precision=given.precision, device=given.device, jobs=given.jobs)
    for dataset in given.datasets:
        print(store_rows(dataset, data, stored, options, given.methods, given.epochs))


if __name__ == "__main__":
    run_command(main)
