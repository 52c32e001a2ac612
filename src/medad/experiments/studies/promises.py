"""Scores on which promises can be tried: of normal images that no detector has learned from, and of test images.

``python -m medad.experiments.studies.promises --data $MEDAD_DATA`` fits two methods to one half of the normal images
(and the unlabeled ones), and stores what they say of the other half and of the test images under
``docs/results/DATASET/promises/``. The page draws calibration sets and lists from these.
"""

import csv
import datetime
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import yaml

from medad.data.imageset import ImageSet
from medad.data.phantom.benchmark import phantom_benchmark
from medad.data.phantom.files import write_phantoms
from medad.detectors.contract.seen import digests_of
from medad.evaluation.scores import renumbered
from medad.evaluation.units import units
from medad.experiments.command import add_data, add_stored, data_folder, existing, run_command, study_parser
from medad.files import replacing
from medad.workflows.notes import say
from medad.workflows.options import TrainOptions
from medad.workflows.provenance import versions
from medad.workflows.splits import load, read_splits
from medad.workflows.train import detector_on_all

FOLDER = "promises"
METHODS = ("nu", "mahalanobis")  # one that learns normal against unlabeled, one that knows normal images alone
PHANTOMS = "phantom"
DATASETS = ("brain_tumor", "pediatric_cxr", "fundus_glaucoma", PHANTOMS)
IN_COLOUR = ("fundus_glaucoma",)
COLUMNS = ("role", "patient", "score")
ROLES = OTHERS, NORMAL, ABNORMAL = "other normal", "test normal", "test abnormal"


def store(dataset: str, data: Path, method: str, results: Path, work: Path, seed: int = 0) -> Path:
    """Fit a method and store its scores, unless they are stored; an image that was learned from is in no role.

    Parameters
    ----------
    dataset, data : str, Path
        Name of the data set, and the folder that holds it.
    method : str
        A method on frozen features.
    results, work : Path
        Root of the stored results, and where phantoms are generated.
    seed : int
        Of the halves, and of the method.
    """
    path = results / dataset / FOLDER / f"{method}.csv"
    if path.exists():
        return path
    say(f"{dataset}: {method}")
    options = TrainOptions(method, seed=seed, channels=3 if dataset in IN_COLOUR else 1)
    splits = read_splits(source_of(dataset, data, work), None, options)
    test = load(splits.test, options.preprocessing, "test images", options.jobs)
    learned, others = halves(splits.normal.unlabelled(), seed)
    detector = detector_on_all(options)
    unlabeled = splits.unlabeled.unlabelled() if splits.unlabeled and detector.uses_unlabeled else None
    detector.fit(learned, unlabeled)
    known = detector.seen_["trained"].numpy()
    rows = [*_rows(OTHERS, others, detector.scores(others)["pred_score"], known)]
    known = np.concatenate([known, digests_of(others.pixels).numpy()])
    assert test.labels is not None
    scores = detector.scores(test.unlabelled())["pred_score"]
    for role, label in ((NORMAL, 0), (ABNORMAL, 1)):
        some = np.flatnonzero(test.labels == label)
        rows += _rows(role, test.subset(some), scores[some], known)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
    about = {
        "date": datetime.date.today(),
        "seed": seed,
        "learned": len(learned),
        "versions": versions(detector.device),
    }
    with replacing(path.with_suffix(".yaml")) as partial:
        partial.write_text(yaml.safe_dump(about, sort_keys=False), encoding="utf-8")
    return path


def halves(normal: ImageSet, seed: int) -> tuple[ImageSet, ImageSet]:
    """Return two halves of normal images, at random; a patient's are in one of them."""
    owner = np.unique(units(normal.patients, len(normal)), return_inverse=True)[1]
    first = np.random.default_rng(seed).permutation(owner.max() + 1) < (owner.max() + 1) / 2
    return normal.subset(np.flatnonzero(first[owner])), normal.subset(np.flatnonzero(~first[owner]))


def _rows(role: str, images: ImageSet, scores: np.ndarray, known: np.ndarray) -> Iterator[list[str]]:
    """Yield a row for each image whose content is not known already, nor that of one before."""
    digests = digests_of(images.pixels).numpy()
    new = ~np.isin(digests, known) & np.isin(np.arange(len(digests)), np.unique(digests, return_index=True)[1])
    owners = renumbered(images.patients or ("",) * len(images))
    for i in np.flatnonzero(new):
        yield [role, owners[i], f"{scores[i]:.6g}"]


def source_of(dataset: str, data: Path, work: Path) -> Path:
    """Return the folder of a data set; phantoms are generated into `work`."""
    if dataset != PHANTOMS:
        return data / dataset
    write_phantoms(work / PHANTOMS, phantom_benchmark(level="plain", normal=1000, test=(400, 400)))
    return work / PHANTOMS


def main() -> None:
    """Store what is not stored."""
    parser = study_parser("promises", __doc__)
    parser.add_argument("datasets", nargs="*", default=list(DATASETS), help=f"by default {' '.join(DATASETS)}")
    parser.add_argument("--work", type=Path, default=Path("runs/promises"), help="where phantoms are generated")
    add_stored(parser)
    add_data(parser)
    given = parser.parse_args()
    data, stored = data_folder(given.data), existing(given.stored)
    for dataset in given.datasets:
        for method in METHODS:
            print(store(dataset, data, method, stored, given.work))


if __name__ == "__main__":
    run_command(main)
