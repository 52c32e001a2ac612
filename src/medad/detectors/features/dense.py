"""Methods that describe every place of an image."""

from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from math import ceil
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from medad.detectors.contract.plan import Plan, TrainingData
from medad.detectors.contract.summaries import summaries
from medad.detectors.features.detector import EXTRACTOR, FeatureDetector
from medad.detectors.features.extractors.contract import Extractor
from medad.detectors.features.extractors.registry import for_scoring, read_extractor
from medad.networks.filters import gaussian_filter
from medad.training.checkpoint import network_state
from medad.training.fit import Fit
from medad.training.phase_store import PhaseStore
from medad.training.spec import Recipe, Spec, Sweep

PIXELS_AT_ONCE = 32 * 128**2  # of the images that a fit takes together: a constant, as what is drawn depends on it

Describe = Callable[[Tensor], Tensor]  # images (n, C, S, S) in [-1, 1] -> descriptors of their places (n, D, h, w)
Learn = Callable[[Plan, Describe], Fit]


class DenseDetector(FeatureDetector):
    """A method that learns what descriptors of places are normal, and whose map is how far each is from that.

    Images are looked at a batch at a time, in training too: the descriptors of all never stand in memory together.
    A method with another source of descriptors than the extractor's stages overrides `reader` and `describe`.
    """

    used: ClassVar[slice] = slice(None)  # of the extractor's dense stages
    blur: ClassVar[float] = 0.0  # standard deviation, pixels, of the filter that smooths the map
    chosen: ClassVar[str] = "max"  # the score that is `pred_score`

    @classmethod
    def learn(cls, plan: Plan, describe: Describe) -> Fit:
        """Return the fit, named as the method."""
        raise NotImplementedError

    @classmethod
    def descriptors(cls, extractor: Extractor, x: Tensor) -> Tensor:
        """Return the descriptors (n, D, h, w) of images: the used stages, on the grid of the finest."""
        maps = extractor(x)
        return on_one_grid([maps[name] for name in extractor.dense[cls.used]], extractor)

    @classmethod
    def reader(cls, plan: Plan) -> Describe:
        """Return what describes images in training."""
        extractor = for_scoring(read_extractor(plan.options.extractor, plan.options.weights))
        extractor.to(plan.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        return partial(cls.descriptors, extractor)

    def describe(self, x: Tensor) -> Tensor:
        """Return the descriptors (n, D, h, w) of images to be scored."""
        return self.descriptors(self.extractor, x)

    @abstractmethod
    def compare(self, described: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return how abnormal the places of `described` (n, D, h, w) are, (n, h, w), and scores of the images.

        Scores ``max``, ``mean`` and ``top`` of the map need not be among them.
        """

    def analyse(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return scores and the map."""
        described = self.describe(x)
        with torch.autocast(x.device.type, enabled=False):
            places, scores = self.compare(described.float())
            anomaly_map = smoothed(self.extractor.enlarge(places[:, None], x.shape[-1])[:, 0], self.blur)
        scores = summaries(anomaly_map) | scores
        return scores | {"pred_score": scores[self.chosen]}, {"anomaly_map": anomaly_map}

    def stages(self, plan: Plan) -> list[list[Spec]]:
        """Return one stage with one fit."""
        recipe = Sweep(plan.normal.count, max(PIXELS_AT_ONCE // plan.options.size**2, 1))
        build = partial(_dense_fit, reader=self.reader, learn=self.learn)
        return [[self.spec(plan.normal, self.name, build, recipe)]]

    def _train(self, data: TrainingData, folder: Path, store: PhaseStore | None) -> None:
        # The fit's key depends on the weights of the extractor.
        self.load_state(network_state({EXTRACTOR: self.read_extractor()}))
        super()._train(data, folder, store)


def _dense_fit(plan: Plan, recipe: Recipe, reader: Callable[[Plan], Describe], learn: Learn) -> Fit:
    return learn(plan, reader(plan))


def on_one_grid(maps: list[Tensor], extractor: Extractor) -> Tensor:
    """Return maps of stages (n, c, h, w), the finest first, as one: coarser ones are enlarged."""
    grid = maps[0].shape[-1]
    return torch.cat([m if m.shape[-1] == grid else extractor.enlarge(m, grid) for m in maps], 1)


def as_rows(described: Tensor) -> Tensor:
    """Return descriptors (n, D, h, w) as rows, (n h w, D), place after place."""
    return described.float().permute(0, 2, 3, 1).flatten(0, 2)


def smoothed(maps: Tensor, sigma: float) -> Tensor:
    """Return Gaussian means of maps (n, S, S), which are mirrored at the border; 0 leaves them as they are."""
    if not sigma:
        return maps
    reach = ceil(4 * sigma)
    padded = F.pad(maps[:, None], [reach] * 4, mode="reflect")
    return gaussian_filter(padded, 2 * reach + 1, sigma)[:, 0, reach:-reach, reach:-reach]
