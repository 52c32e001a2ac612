"""DDAD with backbone AE-U in presets ``standard`` and ``paper``, on every data set, several seeds.

``python -m medad.experiments.studies.presets --data $MEDAD_DATA`` trains what is not stored, and stores the scores.
"""

from pathlib import Path
from typing import get_args

from medad.experiments.command import add_data, add_stored, data_folder, existing, run_command, study_parser
from medad.experiments.store import store
from medad.experiments.studies.steady.ensembles import DATASETS, source
from medad.workflows.notes import say
from medad.workflows.options import Backbone, Precision, Preset, TrainOptions
from medad.workflows.run import run

BACKBONE: Backbone = "aeu"


def run_one(dataset: str, options: TrainOptions, data: Path, work: Path, results: Path) -> None:
    """Train on a data set and store the scores, unless they are stored."""
    given = [options.preset.replace("paper", ""), options.precision.replace("fp32", "")]  # as `method_folder` has it
    named = "-".join(filter(None, ["ddad", BACKBONE, *given]))
    if list((results / dataset).glob(f"{named}/seed{options.seed}")):
        return
    say(f"{dataset}, preset {options.preset}, seed {options.seed}")
    folder = work / f"{dataset}-{named}-seed{options.seed}"
    run(source(dataset, data, options.seed, work), options, out=folder, resume=True)
    print(store(folder, results))


def main() -> None:
    """Train and store what is not stored."""
    parser = study_parser("presets", __doc__)
    parser.add_argument("datasets", nargs="*", default=list(DATASETS), help=f"by default {' '.join(DATASETS)}")
    parser.add_argument("--preset", choices=get_args(Preset), default="standard", help="standard by default")
    parser.add_argument("--precision", choices=get_args(Precision), default="fp32", help="fp32 by default")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(5)), help="0 1 2 3 4 by default")
    parser.add_argument("--work", type=Path, default=Path("runs/presets"), help="where training resumes")
    add_stored(parser)
    add_data(parser)
    a = parser.parse_args()
    data, stored = data_folder(a.data), existing(a.stored)
    for seed in a.seeds:
        for dataset in a.datasets:
            options = TrainOptions("ddad", BACKBONE, a.preset, seed=seed, precision=a.precision)
            run_one(dataset, options, data, a.work, stored)


if __name__ == "__main__":
    run_command(main)
