"""What methods that learn from synthetic anomalies find, after their last epoch and after one chosen without labels.

``python -m medad.experiments.studies.synthetic --data $MEDAD_DATA`` trains each of them once on every data set, where
it can use them also with unlabeled images as sources (starred), on four fifths of the images; scores the others and the
test images after every so many epochs; and writes ``docs/results/DATASET/synthetic/``, from which the page is printed.
A row that is stored is not computed again.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from medad.data.imageset import ImageSet
from medad.data.preprocessing import Preprocessing
from medad.evaluation.metrics import auroc
from medad.experiments.command import add_data, add_stored, data_folder, existing, run_command, study_parser
from medad.experiments.reproduce.ocssl.stored import read_about, write_images, write_row
from medad.experiments.stored import RESULTS
from medad.experiments.synthetic_rows import FOLDER, METHODS, Row, rows_of
from medad.workflows.crossfit import Pools
from medad.workflows.notes import say
from medad.workflows.options import TrainOptions
from medad.workflows.provenance import versions
from medad.workflows.snapshots import ScoreByLength, train_snapshots
from medad.workflows.splits import Splits, load, read_splits
from medad.workflows.train import detector_of

DATASETS = ("brain_tumor", "pediatric_cxr")
SNAPSHOTS = 10  # of a training, equally far apart
SCORES = ("pred_score", "max", "top", "mean", "nu", "classifier")  # the latter where they are not the first


def store_rows(dataset: str, data: Path, rows: Sequence[Row], results: Path = RESULTS, **settings: Any) -> Path:
    """Compute the rows of a data set that are not stored; each is written as soon as it is there.

    Parameters
    ----------
    dataset, data : str, Path
        Name of the data set, and the folder that holds it.
    rows : sequence of Row
        Which are asked for.
    results : Path
        Root of the stored results.
    **settings
        What rows share of :class:`medad.workflows.options.TrainOptions`: `precision`, `device`, `jobs`.

    Returns
    -------
    Path
        The folder of the rows.
    """
    folder = results / dataset / FOLDER
    read: dict[Preprocessing, Splits] = {}
    for row in rows:
        if read_about(folder, row.name) is not None:
            continue
        say(f"{dataset}: {row.name}")
        options = row.options(**settings)
        how = options.preprocessing
        read[how] = read.get(how) or read_splits(data / dataset, None, options)
        test = load(read[how].test, how, "test images", options.jobs)
        folder.mkdir(parents=True, exist_ok=True)
        write_images(folder, test)
        _store(row, options, read[how], test, folder)
    return folder


def _store(row: Row, options: TrainOptions, splits: Splits, test: ImageSet, folder: Path) -> None:
    """Train, judge and score a row, and write it."""
    assert splits.unlabeled is not None
    pools = Pools(splits.normal.unlabelled(), splits.unlabeled.unlabelled())
    train, held_out = pools.folds(options.seed)[0]
    began = time.monotonic()
    with pools.part(train) as given:
        score = train_snapshots(options, lengths, *given)
    seconds = time.monotonic() - began
    auc_u = _judged(score, pools, held_out)
    moments = {"last": max(auc_u), "chosen": max(auc_u, key=auc_u.__getitem__)}
    found = score(test.unlabelled())
    scores = {f"{moment}-{name}": found[n][name] for moment, n in moments.items() for name in _names(found[n])}
    detector = detector_of(options)
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


def lengths(last: int) -> list[int]:
    """Return the epochs after which images are scored, the last among them."""
    return list(range(last, 0, -max(last // SNAPSHOTS, 1)))[::-1]


def _names(scores: Mapping[str, np.ndarray]) -> list[str]:
    """Return the names of the scores that are stored: none twice."""
    first = scores[SCORES[0]]
    return [name for name in SCORES if name in scores and (name == SCORES[0] or (scores[name] != first).any())]


def _counts(pools: Pools, rows: np.ndarray) -> dict[str, int]:
    unlabeled = int(pools.unlabeled_labels[rows].sum())
    return {"normal": len(rows) - unlabeled, "unlabeled": unlabeled}


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
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="0 by default")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32", help="fp32 by default")
    parser.add_argument("--device", default="auto", help="auto (CUDA when there), cpu, cuda or cuda:N")
    parser.add_argument("--jobs", type=int, help="processes; all cores by default")
    add_stored(parser)
    add_data(parser)
    given = parser.parse_args()
    data, stored = data_folder(given.data), existing(given.stored)
    rows = rows_of(given.preset, given.methods, given.seeds)
    settings = {"precision": given.precision, "device": given.device, "jobs": given.jobs}
    for dataset in given.datasets:
        print(store_rows(dataset, data, rows, stored, **settings))


if __name__ == "__main__":
    run_command(main)
