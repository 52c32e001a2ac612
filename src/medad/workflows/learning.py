"""What can be held against unlabeled images: methods, a method after some epochs, trivial controls."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import gcd
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor

from medad.data.imageset import ImageSet
from medad.detectors.contract.detector import Detector
from medad.detectors.contract.plan import TrainingData
from medad.detectors.features.descriptor_store import DescriptorStore
from medad.detectors.features.descriptors import DescriptorDetector
from medad.detectors.features.extraction import descriptors_of
from medad.detectors.features.extractors.registry import extractor_key, for_scoring, read_extractor
from medad.detectors.registry import method_info
from medad.errors import OptionError
from medad.evaluation.controls import Controls
from medad.training.checkpoint import load_tensors
from medad.training.job import finished_path
from medad.training.machine.precision import products_in
from medad.training.pixels import share_pixels
from medad.training.spec import Spec, Sweep
from medad.training.workers import train_phases
from medad.workflows.crossfit import Learn
from medad.workflows.options import TrainOptions
from medad.workflows.train import detector_of, ready_detector

State = dict[str, Tensor]
Score = Callable[[ImageSet], dict[str, np.ndarray]]
ScoreByLength = Callable[[ImageSet], dict[int, dict[str, np.ndarray]]]  # all scores by name, after each length


def learn_method(options: TrainOptions) -> Learn:
    """Return what fits the method of `options` to all images that it is given: none is held out for a threshold.

    A fit to descriptors takes less time than to start a process for it.
    """
    here = issubclass(method_info(options.method).load(), DescriptorDetector)
    options = replace(options, jobs=1) if here else options

    def learn(normal: ImageSet, unlabeled: ImageSet) -> Score:
        detector = detector_of(_without_holdout(options))
        detector.fit(normal, unlabeled if detector.uses_unlabeled else None)
        return detector.scores

    return learn


def describe_ahead(options: TrainOptions, *pools: ImageSet) -> None:
    """Let the descriptors that the method of `options` needs of all images be known, if it needs any: on all cores."""
    detector = ready_detector(options)
    if isinstance(detector, DescriptorDetector):
        name = detector.options.extractor
        network = read_extractor(name, detector.options.weights)
        network.to(detector.device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # as detectors do
        store = DescriptorStore(extractor_key(name, network))
        for images in pools:
            descriptors_of(for_scoring(network), store, images.pixels, detector.jobs, detector.device)


def learn_controls(seed: int) -> Learn:
    """Return what fits the trivial controls."""
    return lambda normal, unlabeled: Controls.fit(normal, unlabeled, seed).scores


def learn_snapshots(options: TrainOptions, lengths: Sequence[int]) -> Learn:
    """Return what trains a method once and scores after each of `lengths` epochs, the last of which `options` name.

    Raises
    ------
    OptionError
        When it learns: if the method does not train one network in epochs.
    """

    def learn(normal: ImageSet, unlabeled: ImageSet) -> Score:
        score = train_snapshots(options, lengths, normal, unlabeled)
        return lambda images: {str(length): scores["pred_score"] for length, scores in score(images).items()}

    return learn


def train_snapshots(
    options: TrainOptions, lengths: Sequence[int], normal: ImageSet, unlabeled: ImageSet
) -> ScoreByLength:
    """Train a method once, to the last of `lengths`; return what scores images after each of them.

    Raises
    ------
    OptionError
        If the method does not train one network in epochs.
    """
    detector = detector_of(_without_holdout(options))
    states = _snapshots(detector, {"normal": normal, "unlabeled": unlabeled}, lengths)

    def score(images: ImageSet) -> dict[int, dict[str, np.ndarray]]:
        found = {}
        for length, state in states.items():
            detector.load_state(state, detector.uses_unlabeled)
            found[length] = detector.scores(images)
        return found

    return score


def _snapshots(detector: Detector, images: dict[str, ImageSet], lengths: Sequence[int]) -> dict[int, State]:
    parts = dict(list(images.items())[: 2 if detector.uses_unlabeled else 1])
    with TemporaryDirectory(prefix="medad-") as temporary:
        folder = Path(temporary)
        data = TrainingData(
            tuple(share_pixels(part, folder / f"{name}.npy") for name, part in parts.items()),
            tuple(len(part) for part in parts.values()),
            tuple(part.fingerprint for part in parts.values()),
        )
        spec = replace(_only(detector, data, folder), snapshots=gcd(*lengths))
        with products_in(detector.precision, detector.device):
            train_phases([spec], folder, detector.jobs)
        files = {length: finished_path(folder, f"{spec.name}.{length}") for length in lengths}
        states = {length: load_tensors(file)[0] for length, file in files.items()}
    return {length: {n: t for n, t in state.items() if n != "losses"} for length, state in states.items()}


def _only(detector: Detector, data: TrainingData, folder: Path) -> Spec:
    """Return the one phase of a training."""
    specs = [spec for stage in detector.stages(detector.plan(data, folder)) for spec in stage]
    if len(specs) != 1 or isinstance(specs[0].recipe, Sweep) or specs[0].recipe.steps is not None:
        raise OptionError("epochs", f"method {detector.name} does not train one network in epochs; leave it out")
    return specs[0]


def _without_holdout(options: TrainOptions) -> TrainOptions:
    return replace(options, options=options.options | {"holdout": 0.0})
