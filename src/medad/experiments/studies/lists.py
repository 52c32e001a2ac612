"""What ``medad rank`` lists of archives of which we know who is normal: with and without AdaDetect.

``python -m medad.experiments.studies.lists --data $MEDAD_DATA`` draws normal images to learn from and an archive of
other normal ones, of the same source, and of abnormal ones of the test set; ranks it in both ways; and stores how many
images are on the list, and how many of these are normal, under ``docs/results/DATASET/lists/``.
"""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from medad.data.imageset import ImageSet
from medad.detectors.contract.seen import digests_of
from medad.evaluation.calibration import conformal_p_values
from medad.evaluation.promises.discoveries import q_values
from medad.experiments.command import add_data, add_stored, data_folder, existing, run_command, study_parser
from medad.experiments.studies.promises import DATASETS, IN_COLOUR, source_of
from medad.files import replacing
from medad.workflows.archive import joined
from medad.workflows.mixing import divided, mixed, promise_on
from medad.workflows.notes import say
from medad.workflows.options import TrainOptions
from medad.workflows.splits import load, read_splits
from medad.workflows.train import detector_of, detector_on_all

FOLDER, FILE = "lists", "nu.csv"
COLUMNS = ("way", "seed", "level", "listed", "normal", "abnormal_in_archive", "normal_in_archive")
LEVELS = (0.05, 0.1, 0.2)
ABNORMAL_SHARE = 0.3  # of the archive
DRAWS = 50


def draw(known: ImageSet, abnormal: ImageSet, seed: int) -> tuple[ImageSet, ImageSet, ImageSet]:
    """Return two thirds of the normal images, and the archive: the other third, and abnormal ones."""
    rng = np.random.default_rng((seed, len(known)))
    order = rng.permutation(len(known))
    first = 2 * len(known) // 3
    bad = min(round(ABNORMAL_SHARE / (1 - ABNORMAL_SHARE) * (len(known) - first)), len(abnormal))
    some = np.sort(rng.choice(len(abnormal), bad, replace=False))
    return known.subset(np.sort(order[:first])), known.subset(np.sort(order[first:])), abnormal.subset(some)


def held_out(normal: ImageSet, archive: ImageSet, options: TrainOptions, work: Path) -> np.ndarray:
    """Return the p-values of an archive by normal images held out from training."""
    detector = detector_of(options).fit(normal, archive)
    assert detector.held_out_scores_ is not None
    return conformal_p_values(detector.scores(archive)["pred_score"], detector.held_out_scores_)


def hidden(normal: ImageSet, archive: ImageSet, options: TrainOptions, work: Path) -> np.ndarray:
    """Return the p-values of an archive by normal images hidden in it."""
    learned, mine = divided(normal, options.seed)
    detector = detector_on_all(options).fit(learned, mixed(archive, mine, work))
    scores = promise_on(detector, mine).scores
    assert scores is not None
    return conformal_p_values(detector.scores(archive)["pred_score"], scores)


Way = Callable[[ImageSet, ImageSet, TrainOptions, Path], np.ndarray]
WAYS: dict[str, Way] = {"held out": held_out, "AdaDetect": hidden}


def figures(dataset: str, data: Path, seeds: range, work: Path) -> Iterator[list[object]]:
    """Yield, below `COLUMNS`, what is listed of one archive after the other."""
    options = TrainOptions("nu", channels=3 if dataset in IN_COLOUR else 1)
    splits = read_splits(source_of(dataset, data, work), None, options)
    test = load(splits.test, options.preprocessing, "test images", options.jobs)
    assert test.labels is not None
    known, bad = _once(splits.normal.unlabelled()), _once(test.subset(np.flatnonzero(test.labels)).unlabelled())
    for seed in seeds:
        normal, fine, abnormal = draw(known, bad, seed)
        archive = joined([fine, abnormal], np.concatenate([fine.pixels, abnormal.pixels]))
        own = TrainOptions("nu", channels=options.channels, seed=seed)
        for way, p_values in WAYS.items():
            q = q_values(p_values(normal, archive, own, work))
            for level in LEVELS:
                on = q <= level
                yield [way, seed, level, on.sum(), on[: len(fine)].sum(), len(abnormal), len(fine)]


def _once(images: ImageSet) -> ImageSet:
    """Leave out repeats."""
    first = np.unique(digests_of(images.pixels).numpy(), return_index=True)[1]
    return images.subset(np.sort(first))


def main() -> None:
    """Store what is not stored."""
    parser = study_parser("lists", __doc__)
    parser.add_argument("datasets", nargs="*", default=list(DATASETS), help=f"by default {' '.join(DATASETS)}")
    parser.add_argument("--draws", type=int, default=DRAWS, help=f"archives; {DRAWS} by default")
    add_stored(parser)
    add_data(parser)
    given = parser.parse_args()
    data, stored = data_folder(given.data), existing(given.stored)
    for dataset in given.datasets:
        path = stored / dataset / FOLDER / FILE
        if path.exists():
            continue
        say(f"{dataset}: {given.draws} archives")
        with TemporaryDirectory(prefix="medad-") as work:
            rows = list(figures(dataset, data, range(given.draws), Path(work)))
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])


if __name__ == "__main__":
    run_command(main)
