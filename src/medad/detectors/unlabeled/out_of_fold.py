"""Methods whose models are each learned without a part of the images, so that all of these can be scored fairly."""

import sys
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from medad.detectors.contract.division import Division, FoldData
from medad.detectors.contract.plan import Plan, TrainingData
from medad.detectors.contract.seen import fold_of
from medad.detectors.features.descriptors import DescriptorDetector, Learn, descriptor_fit, once
from medad.detectors.features.detector import FeatureOptions
from medad.detectors.features.extractors.contract import Maps
from medad.detectors.features.gaussian import gaussian_weights, learn_gaussian, squared_distance
from medad.detectors.unlabeled.fold_fits import learn_fold, look_back
from medad.training.phase_store import PhaseStore
from medad.training.spec import Spec

ONE_CLASS = "one_class"  # the fit that takes the place of all others where there is nothing to tell from the normals

Model = dict[str, Tensor]


@dataclass(frozen=True)
class OutOfFoldOptions(FeatureOptions):
    """Options of methods that learn normal against unlabeled on frozen features."""


class OutOfFoldDetector(DescriptorDetector):
    """A method that learns normal against unlabeled images, in five folds (fewer where there are fewer images).

    Each fold's model is learned from four fifths of the images, a patient's all on one side and equal ones, too. Which
    images are together depends on what they show and on the seed, not on their order or names. A new image is given
    the mean of the models' scores. An image that was learned from, normal or unlabeled and known by its content, is
    given the score of the one model that was not, so the unlabeled images themselves can be ranked.

    Without unlabeled images, or with too few to be divided, the score is Mahalanobis' distance from the normal ones.

    Attributes
    ----------
    auc_u_ : tuple of float or None
        AUROC of unlabeled against normal images by the scores of models that had not seen them, and the ends of its
        95 % interval; None where there were no folds. At .5 there is nothing to learn.
    """

    options_type = OutOfFoldOptions
    uses_unlabeled = True
    fold_name: ClassVar[str]  # of the score that a fold's model gives
    gives_maps: ClassVar[bool] = False

    def __init__(self, options: Any = None, **settings: Any) -> None:
        super().__init__(options, **settings)
        self._models: list[Model] = []

    @classmethod
    @abstractmethod
    def learn_fold(cls, plan: Plan, data: FoldData) -> Model:
        """Return a fold's model.

        ``held_scores`` among the tensors are its scores of the images left out, ``data.held``: (k,), or (k, c) for c
        candidates among which :meth:`choose` chooses.
        """

    @abstractmethod
    def judge_fold(self, model: Model, d: Tensor) -> Tensor:
        """Return the scores, (n,) float64, of descriptors (n, D) by a fold's model."""

    def show_folds(self, models: list[Model], share: Tensor, maps: Maps) -> dict[str, Tensor]:
        """Return maps, given how much each model counts for each image, (n, models); none by default."""
        return {}

    @classmethod
    def choose(cls, aucs: np.ndarray) -> int:
        """Return which candidate is best, given the AUROC of each in each fold, (folds, c): the first of equals."""
        return int(aucs.mean(0).argmax())

    @classmethod
    def conclude(cls, held: np.ndarray, pool: np.ndarray, chosen: int) -> tuple[np.ndarray, Model]:
        """Return the scores (n,) that are meant in the end, and tensors that these need.

        Parameters
        ----------
        held : ndarray
            (n, c) scores of all images by the models that had not seen them.
        pool : ndarray
            (n,) 0 for normal, 1 for unlabeled ones.
        chosen : int
            The best candidate, whose scores are meant by default.
        """
        return held[:, chosen], {}

    @property
    def auc_u_(self) -> tuple[float, float, float] | None:
        """AUROC of unlabeled against normal images, out of fold, and its interval."""
        found = self.tensors_.get(f"{self.name}/auc_u")
        return None if found is None else (float(found[0]), float(found[1]), float(found[2]))

    @property
    def chosen(self) -> int:
        """Which candidate was chosen."""
        return int(self.learned("chosen"))

    def judge(self, d: Tensor, x: Tensor) -> dict[str, Tensor]:
        """Return the fold's score of images learned from, the mean over folds of others."""
        if not self._models:
            score = squared_distance(self._part(ONE_CLASS), d).sqrt()
            return {"distance": score, "pred_score": score}
        score = self.over_folds(self.judge_fold, d, x)
        return {self.fold_name: score, "pred_score": score}

    def over_folds(self, judge: Callable[[Model, Tensor], Tensor], d: Tensor, x: Tensor) -> Tensor:
        """Return, (n,), what `judge` says by the fold's model of images learned from, the mean over folds of others."""
        shares, score = self._shares(x), torch.zeros(len(d), dtype=torch.float64, device=d.device)
        for model, share in zip(self._models, shares.T, strict=True):
            rows = share.nonzero()[:, 0]
            if len(rows):
                score[rows] += share[rows] * judge(model, d[rows])
        return score

    def show(self, maps: Maps, d: Tensor, x: Tensor) -> dict[str, Tensor]:
        """Return the maps of the models that give the score."""
        if self._models:
            return self.show_folds(self._models, self._shares(x), maps)
        weights = gaussian_weights(self._part(ONE_CLASS), d)
        return self.map_of(maps, weights) if self.gives_maps else {}

    def map_of(self, maps: Maps, weights: Tensor) -> dict[str, Tensor]:
        """Return the map of a linear function of the descriptor, weights (D,) or (n, D)."""
        contributions = self.extractor.contributions(maps, weights, self.options.size)
        return {"contribution": contributions, "anomaly_map": contributions}

    def stages(self, plan: Plan) -> list[list[Spec]]:
        """Return a stage with a fit for each fold, and one that knows the images again."""
        division = Division.of(plan) if plan.has_unlabeled else None
        if division is None or not division.folds:
            if division is not None:
                print(f"{self.name}: too few different images or patients to divide: one-class", file=sys.stderr)
            build = partial(descriptor_fit, name=ONE_CLASS, learn=learn_one_class)
            return [[self.spec(plan.normal, ONE_CLASS, build, once(plan.normal))]]
        names = [f"{self.name}_{k + 1}" for k in range(len(division.folds))]
        fits = [
            partial(learn_fold, learn=self.learn_fold, division=division, fold=k, name=name)
            for k, name in enumerate(names)
        ]
        last = partial(look_back, choose=self.choose, conclude=self.conclude, division=division, names=names)
        specs = [self._spec_of(plan, name, fit) for name, fit in zip(names, fits, strict=True)]
        return [specs, [self._spec_of(plan, self.name, last)]]

    def load_state(self, tensors: Any, unlabeled: bool = False) -> None:
        """Take what a training has made."""
        super().load_state(tensors, unlabeled)
        names = sorted({n.split("/")[0] for n in self.tensors_ if n.startswith(f"{self.name}_")})
        self._models = [self._part(name) for name in names]

    def _spec_of(self, plan: Plan, name: str, learn: Learn) -> Spec:
        relevant = plan.options.of_training() | {"patients": _digest(plan.data.patients)}
        return self.spec(plan, name, partial(descriptor_fit, name=name, learn=learn), once(plan), relevant)

    def _part(self, fit: str) -> Model:
        prefix = f"{fit}/"
        return {n.removeprefix(prefix): t for n, t in self.tensors_.items() if n.startswith(prefix)}

    def _shares(self, x: Tensor) -> Tensor:
        """Return how much each fold counts for each image, (n, folds)."""
        own = fold_of(x, self.learned("seen"), self.learned("folds"))[:, None]
        number = torch.arange(len(self._models), device=x.device)
        return torch.where(own < 0, 1 / len(number), (own == number).double()).double()

    def _train(self, data: TrainingData, folder: Path, store: PhaseStore | None) -> None:
        super()._train(data, folder, store)
        if self.auc_u_:
            told = "{:.3f} [{:.3f}, {:.3f}]".format(*self.auc_u_)
            found = f"unlabeled against normal images, out of fold: AUROC {told}"
            nothing = "; they cannot be told apart: there is nothing to learn" if self.auc_u_[1] <= 0.5 else ""
            print(f"{self.name}: {found}{nothing}", file=sys.stderr)


def learn_one_class(plan: Plan, normal: np.ndarray, unlabeled: np.ndarray) -> dict[str, Tensor]:
    """Return the Gaussian of the normal images."""
    return learn_gaussian(normal)


def _digest(patients: tuple[str, ...] | None) -> str:
    """Return a digest of who is whose; names of patients go no farther."""
    if patients is None:
        return ""
    return blake2b("\0".join(patients).encode(), digest_size=16).hexdigest()
