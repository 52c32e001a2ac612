"""Methods whose models are each learned without a part of the images, so that all of these can be scored fairly."""

import sys
from abc import abstractmethod
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from medad.detectors.contract.plan import Plan, TrainingData
from medad.detectors.features.descriptors import DescriptorDetector, Learn, descriptor_fit, once
from medad.detectors.features.detector import FeatureOptions
from medad.detectors.features.extractors.contract import Maps
from medad.detectors.features.gaussian import gaussian_weights, learn_gaussian, squared_distance
from medad.detectors.unlabeled.seen import digests_of, fold_of
from medad.evaluation.intervals import auroc_interval
from medad.evaluation.metrics import auroc
from medad.evaluation.pools import FOLDS, Folds, folds_of
from medad.training.checkpoint import load_tensors
from medad.training.phase_store import PhaseStore
from medad.training.seeds import derive_seed
from medad.training.spec import Spec

ONE_CLASS = "one_class"  # the fit that takes the place of all others where there is nothing to tell from the normals
HELD_SCORES = "held_scores"  # of the images that a fold's model was not learned from, in their order


@dataclass(frozen=True)
class OutOfFoldOptions(FeatureOptions):
    """Options of methods that learn normal against unlabeled on frozen features."""


class OutOfFoldDetector(DescriptorDetector):
    """A method that learns normal against unlabeled images, in five folds (fewer where there are fewer images).

    Each fold's model is learned from four fifths of the images, a patient's all on one side. A new image is given the
    mean of the models' scores. An image that was learned from, normal or unlabeled and known by its content, is given
    the score of the one model that was not, so the unlabeled images themselves can be ranked.

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
        self._models: list[dict[str, Tensor]] = []

    @classmethod
    @abstractmethod
    def learn_fold(
        cls, plan: Plan, normal: np.ndarray, unlabeled: np.ndarray, held: np.ndarray, seed: int
    ) -> dict[str, Tensor]:
        """Return a fold's model, learned from descriptors of `normal` (n, D) and `unlabeled` (m, D) images.

        ``held_scores`` among the tensors are its scores of the images left out, `held` (k, D): (k,), or (k, c) for c
        candidates among which :meth:`choose` chooses.
        """

    @abstractmethod
    def judge_fold(self, model: dict[str, Tensor], d: Tensor) -> Tensor:
        """Return the scores, (n,) float64, of descriptors (n, D) by a fold's model."""

    def show_folds(self, models: list[dict[str, Tensor]], share: Tensor, maps: Maps) -> dict[str, Tensor]:
        """Return maps, given how much each model counts for each image, (n, models); none by default."""
        return {}

    @property
    def auc_u_(self) -> tuple[float, float, float] | None:
        """AUROC of unlabeled against normal images, out of fold, and its interval."""
        found = self.tensors_.get(f"{self.name}/auc_u")
        return None if found is None else (float(found[0]), float(found[1]), float(found[2]))

    def judge(self, d: Tensor, x: Tensor) -> dict[str, Tensor]:
        """Return the fold's score of images learned from, the mean over folds of others."""
        if not self._models:
            score = squared_distance(self._part(ONE_CLASS), d).sqrt()
            return {"distance": score, "pred_score": score}
        scores = torch.stack([self.judge_fold(model, d) for model in self._models], 1)
        score = (scores * self._shares(x)).sum(1)
        return {self.fold_name: score, "pred_score": score}

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
        folds = divide(plan)
        if not folds:
            if plan.has_unlabeled:
                print(f"{self.name}: too few unlabeled or normal images to learn from: one-class", file=sys.stderr)
            build = partial(descriptor_fit, name=ONE_CLASS, learn=learn_one_class)
            return [[self.spec(plan.normal, ONE_CLASS, build, once(plan.normal))]]
        relevant = plan.options.of_training() | {"patients": _digest(plan.data.patients)}
        names = [f"{self.name}_{k}" for k in range(1, len(folds) + 1)]
        fits = [
            self._spec_of(plan, name, partial(_learn_fold, method=type(self), fold=fold, name=name), relevant)
            for name, fold in zip(names, folds, strict=True)
        ]
        whole = partial(_look_back, method=type(self), folds=folds, names=names)
        return [fits, [self._spec_of(plan, self.name, whole, relevant)]]

    @classmethod
    def choose(cls, aucs: np.ndarray) -> int:
        """Return which candidate is best, given the AUROC of each in each fold, (folds, c): the first of equals."""
        return int(aucs.mean(0).argmax())

    @property
    def chosen(self) -> int:
        """Which candidate was chosen."""
        return int(self.learned("chosen"))

    def load_state(self, tensors: Any, unlabeled: bool = False) -> None:
        """Take what a training has made."""
        super().load_state(tensors, unlabeled)
        names = sorted({n.split("/")[0] for n in self.tensors_ if n.startswith(f"{self.name}_")})
        self._models = [self._part(name) for name in names]

    def _spec_of(self, plan: Plan, name: str, learn: Learn, relevant: dict[str, Any]) -> Spec:
        return self.spec(plan, name, partial(descriptor_fit, name=name, learn=learn), once(plan), relevant)

    def _part(self, fit: str) -> dict[str, Tensor]:
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


def divide(plan: Plan) -> Folds:
    """Return the folds of a training: as many as the images or patients allow, at most five; none if that is one."""
    if not plan.has_unlabeled:
        return []
    pool = np.repeat([0, 1], plan.data.counts)
    seed = derive_seed(plan.seed, "folds")
    some = (folds_of(pool, seed, plan.data.patients, count) for count in range(min(FOLDS, *plan.data.counts), 1, -1))
    return next(filter(None, some), [])


def learn_one_class(plan: Plan, normal: np.ndarray, unlabeled: np.ndarray) -> dict[str, Tensor]:
    """Return the Gaussian of the normal images."""
    return learn_gaussian(normal)


def _learn_fold(
    plan: Plan,
    normal: np.ndarray,
    unlabeled: np.ndarray,
    method: type[OutOfFoldDetector],
    fold: tuple[np.ndarray, np.ndarray],
    name: str,
) -> dict[str, Tensor]:
    train, test = fold
    rows, first = np.concatenate([normal, unlabeled]), len(normal)
    of_normal, of_unlabeled = rows[train[train < first]], rows[train[train >= first]]
    return method.learn_fold(plan, of_normal, of_unlabeled, rows[test], derive_seed(plan.seed, name))


def _look_back(
    plan: Plan,
    normal: np.ndarray,
    unlabeled: np.ndarray,
    method: type[OutOfFoldDetector],
    folds: Folds,
    names: list[str],
) -> dict[str, Tensor]:
    """Return digests and folds of all images, which candidate is best, and how well it tells the pools apart."""
    pool = np.repeat([0, 1], [len(normal), len(unlabeled)])
    held = [load_tensors(plan.finished(name))[0][f"{name}/{HELD_SCORES}"].numpy() for name in names]
    held = [scores.reshape(len(scores), -1) for scores in held]
    aucs = [[auroc(pool[test], column) for column in scores.T] for (_, test), scores in zip(folds, held, strict=True)]
    chosen = method.choose(np.array(aucs))
    scores, fold = np.zeros(len(pool)), np.zeros(len(pool), np.int64)
    for k, (_, test) in enumerate(folds):
        scores[test], fold[test] = held[k][:, chosen], k
    ends = auroc_interval(pool, scores, plan.data.patients)
    seen = torch.cat([digests_of(np.load(file, mmap_mode="r", allow_pickle=False)) for file in plan.data.files])
    order = seen.argsort(stable=True)
    return {
        "seen": seen[order],
        "folds": torch.from_numpy(fold)[order],
        "chosen": torch.tensor(chosen),
        "auc_u": torch.tensor([auroc(pool, scores), *ends], dtype=torch.float64),
    }


def _digest(patients: tuple[str, ...] | None) -> str:
    """Return a digest of who is whose; names of patients go no farther."""
    if patients is None:
        return ""
    return blake2b("\0".join(patients).encode(), digest_size=16).hexdigest()
