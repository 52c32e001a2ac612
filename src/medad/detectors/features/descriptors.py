"""Methods on one descriptor of each image."""

from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from medad.data.given import Images
from medad.detectors.contract.plan import Plan, TrainingData
from medad.detectors.features.descriptor_store import DescriptorStore
from medad.detectors.features.detector import EXTRACTOR, FeatureDetector
from medad.detectors.features.extraction import descriptors_of
from medad.detectors.features.extractors.contract import Maps
from medad.errors import UserError
from medad.training.checkpoint import network_state
from medad.training.fit import Fit
from medad.training.phase_store import PhaseStore
from medad.training.pixels import to_unit
from medad.training.spec import Recipe, Spec, Sweep

FILE = "descriptors.npy"  # in the folder of a training: of the normal, then of the unlabeled images
AT_ONCE = 256

Learn = Callable[[Plan, np.ndarray, np.ndarray], dict[str, Tensor]]


class DescriptorDetector(FeatureDetector):
    """A method on the descriptors of images: these are computed once, on all cores, and kept by content."""

    @classmethod
    def learn(cls, plan: Plan, normal: np.ndarray, unlabeled: np.ndarray) -> dict[str, Tensor]:
        """Return what is learned of the descriptors of normal (n, D) and unlabeled images (m, D); m may be 0."""
        raise NotImplementedError

    @abstractmethod
    def judge(self, d: Tensor, x: Tensor) -> dict[str, Tensor]:
        """Return scores, (n,), of descriptors `d` (n, D) of images `x` (n, C, S, S)."""

    def show(self, maps: Maps, d: Tensor, x: Tensor) -> dict[str, Tensor]:
        """Return maps (n, S, S), given also the maps of the extractor's stages; none by default."""
        return {}

    def analyse(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return scores and maps."""
        maps = self.extractor(x)
        d = self.extractor.describe(maps).float()
        return self.judge(d, x), self.show(maps, d, x)

    @torch.inference_mode()
    def scores(self, images: Images) -> dict[str, np.ndarray]:
        """Return scores by name, (n,) each, from descriptors that are kept; see :meth:`Detector.scores`."""
        self._check_fitted()
        given = self._given(images)
        if not len(given):
            raise UserError("no images to score")
        rows = self._descriptors(given.pixels)
        found = [
            self.judge(torch.from_numpy(rows[i : i + AT_ONCE]).to(self.device), to_unit(part, self.device))
            for i in range(0, len(rows), AT_ONCE)
            for part in [given.pixels[i : i + AT_ONCE]]
        ]
        return {name: torch.cat([part[name] for part in found]).double().cpu().numpy() for name in found[0]}

    def stages(self, plan: Plan) -> list[list[Spec]]:
        """Return one stage with one fit."""
        given = plan if self.uses_unlabeled else plan.normal
        return [[self.spec(given, self.name, partial(descriptor_fit, name=self.name, learn=self.learn), once(given))]]

    def _descriptors(self, pixels: np.ndarray) -> np.ndarray:
        store = DescriptorStore(self.extractor_key_)
        return descriptors_of(self.extractor, store, pixels, self.jobs, self.device)

    def _train(self, data: TrainingData, folder: Path, store: PhaseStore | None) -> None:
        self.load_state(network_state({EXTRACTOR: self.read_extractor()}))
        parts = [self._descriptors(np.load(file, mmap_mode="r", allow_pickle=False)) for file in data.files]
        np.save(folder / FILE, np.concatenate(parts), allow_pickle=False)
        super()._train(data, folder, store)


def read_descriptors(plan: Plan) -> tuple[np.ndarray, np.ndarray]:
    """Return the descriptors of the normal (n, D) and of the unlabeled images (m, D) of a training; m may be 0."""
    rows = np.load(plan.folder / FILE, mmap_mode="r", allow_pickle=False)
    return rows[: plan.data.counts[0]], rows[plan.data.counts[0] : plan.count]


def once(plan: Plan) -> Sweep:
    """Return the length of a fit that takes all descriptors at once."""
    return Sweep(plan.count, plan.count)


def descriptor_fit(plan: Plan, recipe: Recipe, name: str, learn: Learn) -> Fit:
    """Return the fit `name` that is what `learn` finds in the descriptors, on one core and thus everywhere the same."""

    def finish(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        with threadpool_limits(1):
            return learn(plan, *read_descriptors(plan))

    return Fit(name, {}, lambda index: None, finish)
