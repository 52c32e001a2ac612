"""Ensembles that learn from four fifths of the normal and of the unlabeled images, and what they make of others."""

from collections.abc import Mapping
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
from medad.detectors.reconstruction.backbones import make_network
from medad.evaluation.metrics import auroc
from medad.experiments.deduplicated import clean_ids
from medad.networks.autoencoder import Reconstruction
from medad.networks.folding import folded
from medad.training.checkpoint import load_networks, load_tensors
from medad.training.pixels import in_order, to_unit
from medad.training.spec import CPU
from medad.training.workers import train_phases
from medad.workflows.options import Preset, TrainOptions
from medad.workflows.splits import load, read_splits
from medad.workflows.train import detector_of

PHANTOMS = "phantom_plain"
PRESET: Preset = "standard"
DECAY = 0.999
WEIGHTS = ("last", "average")
AT_ONCE = 64

Modules = Mapping[str, Reconstruction]  # of NDM and UDM: tensors (K, n, C, S, S)


@dataclass(frozen=True)
class Trial:
    """A training of ensembles: on which data, with which seed, how long, how many networks each."""

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
    def lengths(self) -> tuple[int, int]:
        """The epochs after which the networks are looked at: half of the training, and all of it."""
        return self.epochs // 2, self.epochs

    @property
    def folder(self) -> Path:
        """Where its state is kept."""
        return self.work / self.name / self.dataset

    @property
    def options(self) -> TrainOptions:
        """How the ensembles are trained; the average of their weights is passive."""
        own: dict[str, Any] = {"epochs": self.epochs, "steps": None, "most_images": None, "member_average": DECAY}
        own |= {"refine": False, "holdout": 0.0}
        return TrainOptions("ddad", "aeu", PRESET, seed=self.seed, ensemble_size=self.size, options=own)


@dataclass(frozen=True)
class Trained:
    """Ensembles, and what they make of images that they have not seen.

    Attributes
    ----------
    detector : DDAD
        With the options of the training.
    lengths : tuple of int
        The epochs after which networks lie finished, the last the whole training.
    learned : Plan
        The training, on the images that were learned from.
    parts : list of Tensor
        Held-out normal, held-out unlabeled, and test images, (n, C, S, S) in [-1, 1].
    labels, unique : ndarray
        Of the test images (n,): labels, and which have no near-duplicate in training.
    """

    detector: DDAD
    lengths: tuple[int, int]
    learned: Plan
    parts: list[Tensor]
    labels: np.ndarray
    unique: np.ndarray

    @property
    def pools(self) -> np.ndarray:
        """0 for each held-out normal, then 1 for each held-out unlabeled image."""
        return np.repeat([0, 1], [len(part) for part in self.parts[:2]])

    def figures(self, held: np.ndarray, test: np.ndarray) -> tuple[float, float, float]:
        """Return AUC_u, which looks at no label, and the AUROC of all and of the de-duplicated test images."""
        rows = (slice(None), self.unique)
        on_all, on_unique = (float(auroc(self.labels[some], test[some])) for some in rows)
        return float(auroc(self.pools, held)), on_all, on_unique

    @torch.inference_mode()
    def outputs(self, length: int, weights: str) -> list[Modules]:
        """Return what the members of both modules make of each part after so many epochs, by these weights."""
        networks = {
            module: [self._network(name, length, weights) for name in self.detector.members(module)]
            for module in self.detector.modules(True)
        }
        return [
            {
                module: stack([_joined([network(some) for some in part.split(AT_ONCE)]) for network in members])
                for module, members in networks.items()
            }
            for part in self.parts
        ]

    def _network(self, name: str, length: int, weights: str) -> nn.Module:
        stored_as = name if length == self.lengths[-1] else f"{name}.{length}"
        key = name if weights == "average" else f"{name}_{weights}"
        network = make_network(self.learned.options.backbone, self.learned.options)
        load_networks({key: network}, load_tensors(self.learned.finished(stored_as))[0])
        return folded(network)


def train(trial: Trial) -> Trained:
    """Train the ensembles, or take them as they lie finished."""
    source, options = _source(trial), trial.options
    splits = read_splits(source, None, options)
    test = load(splits.test, options.preprocessing, "test images", options.jobs)
    detector = detector_of(options)
    assert splits.unlabeled is not None and test.labels is not None and isinstance(detector, DDAD)
    trial.folder.mkdir(parents=True, exist_ok=True)
    given = {"normal": splits.normal.unlabelled(), "unlabeled": splits.unlabeled.unlabelled()}
    plan = detector.plan(TrainingData.of(given, trial.folder), trial.folder)
    learned, rest = (plan.part(np.sort(rows)) for rows in Division.of(plan).folds[0])
    (members,) = detector.stages(learned)
    train_phases([replace(spec, snapshots=trial.lengths[0]) for spec in members], trial.folder, detector.jobs)
    held = torch.cat(list(in_order(rest.images(), AT_ONCE))).split(rest.data.counts)
    kept = clean_ids(source)
    unique = np.array([kept is None or name in kept for name in test.ids])
    parts = [*held, to_unit(test.pixels, CPU)]
    return Trained(detector, trial.lengths, learned, parts, test.labels, unique)


def _joined(parts: list[Reconstruction]) -> Reconstruction:
    means, variances = ([getattr(part, name) for part in parts] for name in ("mean", "log_variance"))
    return Reconstruction(torch.cat(means), torch.cat(variances))


def _source(trial: Trial) -> Path:
    """Return the folder of the data set; phantoms are generated, others with each seed."""
    if trial.dataset != PHANTOMS:
        return trial.data / trial.dataset
    folder = trial.work / f"seed{trial.seed}" / PHANTOMS
    write_phantoms(folder, phantom_benchmark(seed=trial.seed, level="plain"))
    return folder
