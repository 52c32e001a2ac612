"""A method after each of some numbers of epochs of one training."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import gcd
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from torch import Tensor

from medad.data.imageset import ImageSet
from medad.detectors.contract.detector import Detector
from medad.detectors.contract.plan import Plan, TrainingData
from medad.detectors.contract.training import train
from medad.errors import OptionError
from medad.training.job import finished_path
from medad.training.machine.precision import products_in
from medad.training.spec import Spec, Sweep
from medad.training.workers import train_phases
from medad.workflows.options import TrainOptions
from medad.workflows.train import detector_on_all

State = dict[str, Tensor]
Lengths = Callable[[int], Sequence[int]]  # number of epochs of a training -> those after which images are to be scored
ScoreByLength = Callable[[ImageSet], dict[int, dict[str, np.ndarray]]]  # all scores by name, after each length


def train_snapshots(options: TrainOptions, lengths: Lengths, normal: ImageSet, unlabeled: ImageSet) -> ScoreByLength:
    """Train a method once; return what scores images after each of some numbers of epochs.

    What follows the training of the network, such as the fit of a density, is done anew for each of them.

    Parameters
    ----------
    options : TrainOptions
        Of the method and its whole training.
    lengths : callable
        Number of epochs of the whole training -> those after which images are to be scored.
    normal, unlabeled : ImageSet
        What it learns from.

    Raises
    ------
    OptionError
        If the method does not train one network in epochs.
    """
    detector = detector_on_all(options)
    states = _snapshots(detector, {"normal": normal, "unlabeled": unlabeled}, lengths)

    def score(images: ImageSet) -> dict[int, dict[str, np.ndarray]]:
        found = {}
        for length, state in states.items():
            detector.load_state(state, detector.uses_unlabeled)
            found[length] = detector.scores(images)
        return found

    return score


def _snapshots(detector: Detector, images: dict[str, ImageSet], lengths: Lengths) -> dict[int, State]:
    parts = dict(list(images.items())[: 2 if detector.uses_unlabeled else 1])
    with TemporaryDirectory(prefix="medad-") as temporary:
        folder = Path(temporary)
        plan = detector.plan(TrainingData.of(parts, folder), folder)
        spec = _only(detector, plan)
        last = -(-spec.steps // spec.recipe.steps_per_epoch)  # perhaps not a whole one
        kept = lengths(last)
        with products_in(detector.precision, detector.device):
            train_phases([replace(spec, snapshots=gcd(*kept))], folder, detector.jobs)
            names = {n: spec.name if n == last else f"{spec.name}.{n}" for n in kept}
            return {n: _ended_with(detector, plan, spec.name, finished_path(folder, names[n])) for n in kept}


def _ended_with(detector: Detector, plan: Plan, name: str, snapshot: Path) -> State:
    """Return what the training would have made, had the network `name` ended as in `snapshot`."""
    folder = plan.folder / f"{snapshot.stem}-ended"
    folder.mkdir()
    snapshot.rename(finished_path(folder, name))
    made = train(detector.stages(replace(plan, folder=folder)), folder, detector.jobs, None)
    return made.networks | made.fitted


def _only(detector: Detector, plan: Plan) -> Spec:
    """Return the one phase of a training in which a network learns; only fits may follow it."""
    (spec, *beside), *later = detector.stages(plan)
    if beside or isinstance(spec.recipe, Sweep) or not all(isinstance(s.recipe, Sweep) for part in later for s in part):
        raise OptionError("epochs", f"method {detector.name} does not train one network in epochs; leave it out")
    return spec
