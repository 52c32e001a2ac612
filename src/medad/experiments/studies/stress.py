"""Where detectors of every family are blind: trained on a data set, then put through the stress test.

``python -m medad.experiments.studies.stress --data $MEDAD_DATA`` trains what is not trained, in ``--work``, and stores
``docs/results/DATASET/stress/METHOD.json``, from which the page is printed.
"""

import datetime
import json
from pathlib import Path

from medad.experiments.command import add_data, add_stored, data_folder, existing, run_command, study_parser
from medad.files import replacing
from medad.workflows.notes import say
from medad.workflows.options import TrainOptions
from medad.workflows.stress import FIGURES, read_stress, stress
from medad.workflows.train import train

FOLDER = "stress"
DATASETS = ("brain_tumor",)
# A reconstruction, one with its uncertainty, the discrepancies of ensembles and their refinement, a network that has
# learned from pasted anomalies, distances of features, and normal against unlabeled images.
TRAINED = {
    "ae": TrainOptions("ae", preset="quick"),
    "aeu": TrainOptions("aeu", preset="quick"),
    "ddad": TrainOptions("ddad", "aeu", "quick"),
    "nsa": TrainOptions("nsa", preset="quick"),
    "mahalanobis": TrainOptions("mahalanobis"),
    "patchcore": TrainOptions("patchcore"),
    "nu": TrainOptions("nu"),
}


def store(dataset: str, data: Path, method: str, results: Path, work: Path) -> Path:
    """Train a method, put it through the stress test and store what this found, unless it is stored.

    Parameters
    ----------
    dataset, data : str, Path
        Name of the data set, and the folder that holds it.
    method : str
        A key of `TRAINED`.
    results, work : Path
        Root of the stored results, and where trainings are kept, which resume.
    """
    path = results / dataset / FOLDER / f"{method}.json"
    if path.exists():
        return path
    say(f"{dataset}: {method}")
    options, run = TRAINED[method], work / dataset / method
    train(data / dataset, options, out=run, resume=True)
    page = stress(run, data / dataset, out=work / dataset / f"{method}-stress")
    about = {"date": str(datetime.date.today()), "preset": options.preset}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        partial.write_text(json.dumps(about | read_stress(page.with_name(FIGURES))) + "\n", encoding="utf-8")
    return path


def main() -> None:
    """Store what is not stored."""
    parser = study_parser("stress", __doc__)
    parser.add_argument("datasets", nargs="*", default=list(DATASETS), help=f"by default {' '.join(DATASETS)}")
    parser.add_argument("--methods", nargs="+", choices=TRAINED, default=list(TRAINED), help="all by default")
    parser.add_argument("--work", type=Path, default=Path("runs/stress"), help="where trainings are kept")
    add_stored(parser)
    add_data(parser)
    given = parser.parse_args()
    data, stored = data_folder(given.data), existing(given.stored)
    for dataset in given.datasets:
        for method in given.methods:
            print(store(dataset, data, method, stored, given.work))


if __name__ == "__main__":
    run_command(main)
