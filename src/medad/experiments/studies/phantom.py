"""AE, AE-U and DDAD on the phantom benchmark, five seeds, whoever wins.

``python -m medad.experiments.studies.phantom --level LEVEL`` trains and stores the scores.
"""

from pathlib import Path

from medad.data.phantom.benchmark import phantom_benchmark
from medad.data.phantom.files import write_phantoms
from medad.experiments.command import add_stored, existing, run_command, study_parser
from medad.experiments.store import store
from medad.workflows.options import Preset, TrainOptions
from medad.workflows.run import run

METHODS = ("ae", "aeu", "ddad")
SETS = {"subtle": "phantom", "plain": "phantom_plain"}  # level -> name of the data set
SEEDS = range(5)
PRESET: Preset = "quick"


def run_all(level: str, work: Path, results: Path) -> None:
    """Train every method on the phantoms of every seed and store the scores; what is stored is skipped."""
    for seed in SEEDS:
        data = work / f"seed{seed}" / SETS[level]
        write_phantoms(data, phantom_benchmark(seed=seed, level=level))
        for method in METHODS:
            folder = data.parent / f"{data.name}-{method}"
            if not list((results / data.name).glob(f"{method}-*/seed{seed}")):
                run(data, TrainOptions(method=method, preset=PRESET, seed=seed), out=folder, resume=True)
                store(folder, results)


def main() -> None:
    """Train and store."""
    parser = study_parser("phantom", __doc__)
    parser.add_argument("--level", choices=SETS, default="subtle", help="which phantoms to run")
    add_stored(parser)
    parser.add_argument("--work", type=Path, default=Path("runs/phantom"))
    arguments = parser.parse_args()
    run_all(arguments.level, arguments.work, existing(arguments.stored))


if __name__ == "__main__":
    run_command(main)
