"""How often ``medad select`` chooses the method that is best on test labels, and what is lost where it does not.

``python -m medad.experiments.studies.select --data $MEDAD_DATA`` writes ``docs/results/DATASET/select.json`` for every
data set there that has unlabeled images, from which ``medad results select`` prints the page. Labels are used when
all is chosen and trained.
"""

import datetime
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from medad.data.imageset import ImageSet
from medad.data.preprocessing import Preprocessing
from medad.data.repartition import Repartition
from medad.errors import UserError
from medad.evaluation.delong import delong_test
from medad.evaluation.metrics import auroc
from medad.experiments.command import add_data, add_stored, data_folder, existing, run_command, study_parser
from medad.experiments.stored import RESULTS
from medad.files import replacing
from medad.workflows.notes import say
from medad.workflows.options import TrainOptions
from medad.workflows.select import candidates_of, judged_methods
from medad.workflows.splits import Splits, load, load_training, read_blind
from medad.workflows.train import detector_of

FILE = "select.json"
SEEDS = (0, 1, 2, 3, 4)


def store_choices(
    dataset: str,
    data: Path,
    results: Path = RESULTS,
    seeds: Sequence[int] = SEEDS,
    methods: Sequence[str] | None = None,
    options: TrainOptions | None = None,
) -> Path:
    """Choose a method for a data set with every seed, hold all against the test labels, and store the figures.

    Parameters
    ----------
    dataset, data : str, Path
        Name of the data set, and the folder that holds it.
    results : Path
        Root of the stored results.
    seeds : sequence of int
        Of folds and trainings.
    methods : sequence of str, optional
        The shortlist; that of ``medad select`` by default.
    options : TrainOptions, optional
        All but method and seed.

    Returns
    -------
    Path
        The file.
    """
    who, test = read_blind(data / dataset, None), Repartition.read(data / dataset).test
    options = options or TrainOptions()

    @cache
    def training(how: Preprocessing) -> Splits:
        return load_training(who, _of(how, options))

    @cache
    def tested(how: Preprocessing) -> ImageSet:
        return load(test, how, "test images", options.jobs)

    found = [_choice(candidates_of(replace(options, seed=seed), methods), training, tested) for seed in seeds]
    file = results / dataset / FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    counts = {"normal": len(who.normal), "unlabeled": len(who.unlabeled), "test": len(test)}
    record = {"date": datetime.date.today().isoformat(), "images": counts, "preset": options.preset, "seeds": found}
    with replacing(file) as partial:
        partial.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return file


def _of(how: Preprocessing, options: TrainOptions) -> TrainOptions:
    return replace(options, size=how.size)


def _choice(
    candidates: dict[str, TrainOptions],
    training: Callable[[Preprocessing], Splits],
    tested: Callable[[Preprocessing], ImageSet],
) -> dict[str, Any]:
    """Return what is chosen with one seed, and what the test labels say of it."""
    seed = next(iter(candidates.values())).seed
    found = judged_methods(candidates, lambda one: training(one.preprocessing))
    judged, scores = found.judged(), {}
    for name, options in candidates.items():
        splits = training(options.preprocessing)
        detector = detector_of(options)
        unlabeled = splits.unlabeled.unlabelled() if splits.unlabeled and detector.uses_unlabeled else None
        images = tested(options.preprocessing)
        scores[name] = detector.fit(splits.normal.unlabelled(), unlabeled).scores(images.unlabelled())["pred_score"]
    labels = images.labels
    assert labels is not None
    truth = {name: auroc(labels, values) for name, values in scores.items()}
    best = max(truth, key=truth.__getitem__)
    lost = delong_test(labels, scores[best], scores[found.winner], patients=images.patients)
    say(f"seed {seed}: chosen {found.winner} ({truth[found.winner]:.3f}), best {best} ({truth[best]:.3f})")
    return _rounded(
        {
            "seed": seed,
            "chosen": found.winner,
            "best": best,
            "lost": [lost.difference, lost.low, lost.high],
            "methods": {n: asdict(judged[n]) | {"auroc": truth[n], "seconds": found.seconds[n]} for n in scores},
            "controls": {name: asdict(judged[name]) for name in found.controls},
        }
    )


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return round(float(value), 5) if isinstance(value, float | np.floating) else value


def with_unlabeled(data: Path) -> list[str]:
    """Return the names of the data sets in `data` that have unlabeled images and labelled test images."""
    names = []
    for folder in sorted(path for path in data.iterdir() if path.is_dir()):
        try:
            who = Repartition.read(folder)
        except UserError:  # whatever else lies there
            continue
        if who.unlabeled and {entry.label for entry in who.test} == {0, 1}:
            names.append(folder.name)
    return names


def main() -> None:
    """Store the choices for our data sets."""
    parser = study_parser("select", __doc__)
    parser.add_argument("datasets", nargs="*", help="names of data sets; all that have unlabeled images by default")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS), help="0 to 4 by default")
    parser.add_argument("--methods", nargs="+", help="the shortlist; that of medad select by default")
    add_stored(parser)
    add_data(parser)
    given = parser.parse_args()
    data = data_folder(given.data)
    for dataset in given.datasets or with_unlabeled(data):
        say(dataset)
        print(store_choices(dataset, data, existing(given.stored), given.seeds, given.methods))


if __name__ == "__main__":
    run_command(main)
