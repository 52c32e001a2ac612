"""What can be held against unlabeled images: methods, a method after some epochs, trivial controls."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch

from medad.data.imageset import ImageSet
from medad.detectors.features.descriptor_store import DescriptorStore
from medad.detectors.features.descriptors import DescriptorDetector
from medad.detectors.features.extraction import descriptors_of
from medad.detectors.features.extractors.registry import extractor_key, for_scoring, read_extractor
from medad.detectors.registry import method_info
from medad.evaluation.controls import Controls
from medad.workflows.crossfit import Learn
from medad.workflows.options import TrainOptions
from medad.workflows.snapshots import train_snapshots
from medad.workflows.train import detector_on_all, ready_detector

Score = Callable[[ImageSet], dict[str, np.ndarray]]


def learn_method(options: TrainOptions) -> Learn:
    """Return what fits the method of `options` to all images that it is given: none is held out for a threshold.

    A fit to descriptors takes less time than to start a process for it.
    """
    here = issubclass(method_info(options.method).load(), DescriptorDetector)
    options = replace(options, jobs=1) if here else options

    def learn(normal: ImageSet, unlabeled: ImageSet) -> Score:
        detector = detector_on_all(options)
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
        score = train_snapshots(options, lambda _: lengths, normal, unlabeled)
        return lambda images: {str(length): scores["pred_score"] for length, scores in score(images).items()}

    return learn
