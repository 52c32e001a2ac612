"""What makes DDAD steadier over trainings: folds, length, weights, a floor of sigma, what ASR-Net learns from.

``python -m medad.experiments.studies.steady --data $MEDAD_DATA`` trains, on every data set and once a seed, three DDADs
with backbone AE-U, each on two thirds of the images. So every image has been left out by one of them, which scores it,
and test images are scored by all. The last weights of every network and their exponential average are kept after half
of the training and after all of it. Under ``docs/results/DATASET/steady/`` it is stored, for every way to make maps of
them and to refine these, how well unlabeled images are told from normal ones (AUC_u, which looks at no label), and the
AUROC of test images.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path

from medad.experiments.command import add_data, add_stored, data_folder, existing, run_command, study_parser
from medad.experiments.studies.steady import maps, refiners
from medad.experiments.studies.steady.ensembles import DATASETS, Trained, Trial, train
from medad.files import replacing
from medad.workflows.notes import say

FOLDER = "steady"
SEEDS = (0, 1, 2)


def study(trial: Trial, results: Path, variants: Sequence[str] = tuple(refiners.VARIANTS)) -> Path:
    """Train what is not trained, and store the tables that are not stored, under the root `results`.

    Returns
    -------
    Path
        The folder of the tables.
    """
    folder = results / trial.dataset / FOLDER
    trained = cache(lambda: train(trial))
    tables: dict[str, tuple[Sequence[str], Callable[[Trained], Iterator[list[object]]]]] = {
        "maps": (maps.COLUMNS, maps.figures_of_maps),
        "refiners": (refiners.COLUMNS, partial(refiners.figures_of_refiners, variants=variants)),
    }
    for table, (columns, figures) in tables.items():
        path = folder / f"{table}-{trial.name}.csv"
        if path.exists():
            continue
        say(f"{trial.dataset}, seed {trial.seed}: {table}")
        rows = list(figures(trained()))
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([columns, *rows])
    return folder


def main() -> None:
    """Train and store what is not stored."""
    parser = study_parser("steady", __doc__)
    parser.add_argument("datasets", nargs="*", default=list(DATASETS), help=f"by default {' '.join(DATASETS)}")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS), help="0 1 2 by default")
    parser.add_argument("--epochs", type=int, default=250, help="on up to 200 normal images, on more fewer; 250")
    parser.add_argument("--ensemble-size", type=int, default=2, help="K of each DDAD; 2 by default")
    parser.add_argument("--refiners", nargs="*", choices=refiners.VARIANTS, default=list(refiners.VARIANTS), help="all")
    parser.add_argument("--work", type=Path, default=Path("runs/steady"), help="where training resumes")
    add_stored(parser)
    add_data(parser)
    a = parser.parse_args()
    data, stored = data_folder(a.data), existing(a.stored)
    for seed in a.seeds:
        for dataset in a.datasets:
            print(study(Trial(dataset, data, seed, a.epochs, a.ensemble_size, a.work), stored, a.refiners))


if __name__ == "__main__":
    run_command(main)
