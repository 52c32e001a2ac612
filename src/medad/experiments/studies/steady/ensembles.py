"""DDADs that each learn from two thirds of the images, and what they make of the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from medad.data.phantom.benchmark import phantom_benchmark
from medad.data.phantom.files import write_phantoms
from medad.detectors.contract.division import Division
from medad.detectors.contract.plan import Plan, TrainingData
from medad.detectors.ddad.ddad import DDAD
from medad.detectors.ddad.discrepancy import stack
from medad.detectors.ddad.ensemble import Ensemble
from medad.detectors.reconstruction.backbones import make_network
from medad.evaluation.metrics import auroc
from medad.evaluation.selection import standardised
from medad.experiments.deduplicated import clean_ids
from medad.networks.autoencoder import Reconstruction
from medad.networks.folding import folded
from medad.training.checkpoint import load_networks, load_tensors
from medad.training.pixels import in_order, to_unit
from medad.training.seeds import derive_seed
from medad.training.spec import CPU
from medad.training.workers import train_phases
from medad.workflows.options import Preset, TrainOptions
from medad.workflows.splits import load, read_splits
from medad.workflows.train import detector_of

PHANTOMS = "phantom_plain"
DATASETS = ("brain_tumor", "pediatric_cxr", "fundus_glaucoma", "adult_cxr", PHANTOMS)
PRESET: Preset = "standard"
FOLDS = 3
MOST_IMAGES, REFINE_EPOCHS = 200, 50
HALF, WHOLE = "half", "whole"
DECAY = 0.999
WEIGHTS = ("last", "average")
AT_ONCE = 64

Modules = Mapping[str, Reconstruction]  # of NDM and UDM: tensors (K, n, C, S, S)
Pair = tuple[np.ndarray, np.ndarray]  # of images that were left out, and of test images


@dataclass(frozen=True)
class Trial:
    """A training: on which data, with which seed, how long, and how many networks in a module of a fold.

    `epochs` are those on up to `MOST_IMAGES` normal images; on more there are fewer, for as many steps.
    """

    dataset: str
    data: Path
    seed: int
    epochs: int
    size: int
    work: Path

    @property
    def name(self) -> str:
        """Of its files."""
        return f"k{self.size}-epochs{self.epochs}-seed{self.seed}"

    @property
    def folder(self) -> Path:
        """Where its state is kept."""
        return self.work / self.name / self.dataset

    def options(self, seed: int) -> TrainOptions:
        """How the networks are trained; the average of their weights is passive."""
        own: dict[str, Any] = {"epochs": self.epochs, "refine_epochs": REFINE_EPOCHS, "most_images": MOST_IMAGES}
        own |= {"steps": None, "member_average": DECAY, "refine": False, "holdout": 0.0, "folds": 0}
        return TrainOptions("ddad", "aeu", PRESET, seed=seed, ensemble_size=self.size, options=own)


@dataclass(frozen=True)
class Fold:
    """A DDAD on two thirds of the images.

    Attributes
    ----------
    detector : DDAD
        With the options and the seed of the training.
    lengths : dict
        By name the epochs after which networks lie finished: half of the training, and all of it.
    learned : Plan
        The training, on the images that were learned from.
    left : ndarray
        (m,) which were left out.
    """

    detector: DDAD
    lengths: Mapping[str, int]
    learned: Plan
    left: np.ndarray

    @torch.inference_mode()
    def outputs(self, x: Tensor, length: str, weights: str) -> Modules:
        """Return what the members of both modules make of images after this length, by these weights."""
        return {
            module: stack([self._output(name, x, length, weights) for name in names])
            for module, names in Ensemble(self.detector.options, True).modules.items()
        }

    def _output(self, name: str, x: Tensor, length: str, weights: str) -> Reconstruction:
        network = self._network(name, length, weights)
        parts = [network(some) for some in x.split(AT_ONCE)]
        means, variances = ([getattr(part, of) for part in parts] for of in ("mean", "log_variance"))
        return Reconstruction(torch.cat(means), torch.cat(variances))

    def _network(self, name: str, length: str, weights: str) -> nn.Module:
        stored_as = name if length == WHOLE else f"{name}.{self.lengths[length]}"
        key = name if weights == "average" else f"{name}_{weights}"
        network = make_network(self.learned.options.backbone, self.learned.options)
        load_networks({key: network}, load_tensors(self.learned.finished(stored_as))[0])
        return folded(network)


@dataclass(frozen=True)
class Trained:
    """The DDADs of all folds, and the images.

    Attributes
    ----------
    folds : list of Fold
        Every image of the training was left out by one.
    images, test : Tensor
        Those of the training, the normal first, and the test images, (n, C, S, S) in [-1, 1].
    pool : ndarray
        0 for each normal, then 1 for each unlabeled image of the training.
    groups : ndarray
        Whose these are, by number.
    labels, unique : ndarray
        Of the test images: labels, and which have no near-duplicate in training.
    """

    folds: list[Fold]
    images: Tensor
    test: Tensor
    pool: np.ndarray
    groups: np.ndarray
    labels: np.ndarray
    unique: np.ndarray

    def joined(self, pairs: Sequence[Pair]) -> Pair:
        """Return scores of all images, each by the fold that left it out, and of test images, means over folds.

        Those of a fold are taken in units of the spread of its left-out normal images.
        """
        held, test = np.zeros(len(self.pool)), np.zeros(len(self.labels))
        for fold, (left, new) in zip(self.folds, pairs, strict=True):
            normal = np.concatenate([self.pool[fold.left] == 0, np.zeros(len(new), bool)])
            both = standardised(np.concatenate([left, new]), normal)
            held[fold.left] = both[: len(left)]
            test += both[len(left) :] / len(self.folds)
        return held, test

    def auc_u(self, scores: np.ndarray, rows: np.ndarray | slice = slice(None)) -> float:
        """Return how well unlabeled images are told from normal ones, which looks at no label."""
        return float(auroc(self.pool[rows], scores))

    def aurocs(self, test: np.ndarray) -> tuple[float, float]:
        """Return the AUROC of all and of the de-duplicated test images."""
        whole, clean = (float(auroc(self.labels[rows], test[rows])) for rows in (slice(None), self.unique))
        return whole, clean


def train(trial: Trial) -> Trained:
    """Train the DDADs, or take them as they lie finished."""
    folder, options = source(trial.dataset, trial.data, trial.seed, trial.work), trial.options(trial.seed)
    splits = read_splits(folder, None, options)
    test = load(splits.test, options.preprocessing, "test images", options.jobs)
    assert splits.unlabeled is not None and test.labels is not None
    trial.folder.mkdir(parents=True, exist_ok=True)
    given = {"normal": splits.normal.unlabelled(), "unlabeled": splits.unlabeled.unlabelled()}
    plan = detector_of(options).plan(TrainingData.of(given, trial.folder), trial.folder)
    division = Division.of(plan, FOLDS)
    folds = [_fold(trial, plan, number, rows) for number, rows in enumerate(division.folds)]
    images = torch.cat(list(in_order(plan.images(), AT_ONCE)))
    kept = clean_ids(folder)
    unique = np.array([kept is None or name in kept for name in test.ids])
    test_images = to_unit(test.pixels, CPU)
    return Trained(folds, images, test_images, division.pool, division.groups, test.labels, unique)


def _fold(trial: Trial, whole: Plan, number: int, rows: tuple[np.ndarray, np.ndarray]) -> Fold:
    """Train the networks of a fold, in a folder of its own."""
    detector = detector_of(trial.options(derive_seed(trial.seed, f"fold {number}")))
    assert isinstance(detector, DDAD)
    learn, left = (np.sort(part) for part in rows)
    plan = replace(whole.part(learn), folder=trial.folder / f"fold{number}", seed=detector.seed)
    plan.folder.mkdir(exist_ok=True)
    (members,) = detector.stages(plan)
    told = f"{trial.dataset}, fold {number + 1}"
    epochs = plan.options.epochs
    train_phases([replace(spec, snapshots=epochs // 2) for spec in members], plan.folder, detector.jobs, told)
    return Fold(detector, {HALF: epochs // 2, WHOLE: epochs}, plan, left)


def source(dataset: str, data: Path, seed: int, work: Path) -> Path:
    """Return the folder of a data set below `data`; phantoms are generated below `work`, others with each seed."""
    if dataset != PHANTOMS:
        return data / dataset
    folder = work / f"seed{seed}" / PHANTOMS
    write_phantoms(folder, phantom_benchmark(seed=seed, level="plain"))
    return folder
