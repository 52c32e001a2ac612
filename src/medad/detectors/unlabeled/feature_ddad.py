"""Dual-distribution discrepancy of what a frozen network sees."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from medad.detectors.contract import options
from medad.detectors.contract.batches import parallel_map
from medad.detectors.contract.one_network import adam_of, own_loss
from medad.detectors.contract.options import TrainingOptions
from medad.detectors.contract.plan import Plan, TrainingData
from medad.detectors.contract.ranges import ranged
from medad.detectors.ddad.discrepancy import discrepancies, ensemble_residual, stack
from medad.detectors.features.detector import EXTRACTOR, PRESETS, FeatureDetector, FeatureOptions
from medad.detectors.features.extractors.registry import make_extractor
from medad.evaluation.standard import standard_of
from medad.networks.autoencoder import Reconstruction
from medad.training.checkpoint import load_tensors, network_state
from medad.training.fit import Fit
from medad.training.phase import Phase, for_training, gradient_step
from medad.training.phase_store import PhaseStore
from medad.training.pixels import to_unit
from medad.training.spec import Recipe, Spec, Sweep

FILE = "maps.npy"  # in the folder of a training: of the normal, then of the unlabeled images
AT_ONCE = 32
STANDARD = "standard"  # the fit that finds how maps are standardised
HIDDEN, CODE = 64, 8


@dataclass(frozen=True)
class FeatureDDADOptions(TrainingOptions, FeatureOptions):
    """Options of the ensembles.

    Attributes
    ----------
    ensemble_size : int
        K, the number of networks in each module.
    """

    scoring = FeatureOptions.scoring | TrainingOptions.scoring

    size: int = 128
    epochs: int = ranged(20, 1)
    ensemble_size: int = ranged(3, 2)


class PlaceAE(nn.Module):
    """Autoencoder of every place by itself: 1 x 1 convolutions, to a code of 8 numbers and back."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        widths = [channels, HIDDEN, CODE, HIDDEN, channels]
        layers: list[nn.Module] = []
        for a, b in zip(widths, widths[1:], strict=False):
            layers += [nn.Conv2d(a, b, 1), nn.ReLU()]
        self.layers = nn.Sequential(*layers[:2], layers[2], *layers[4:-1])  # neither code nor output is rectified

    def forward(self, x: Tensor) -> Reconstruction:
        """Reconstruct maps `x`, (n, channels, h, w)."""
        return Reconstruction(self.layers(x).float())

    def loss(self, x: Tensor) -> Tensor:
        """Mean squared error."""
        return (x - self(x).mean).square().mean()


class FeatureDDAD(FeatureDetector):
    """DDAD on the maps of a frozen network in place of pixels, without refinement.

    K small autoencoders learn the standardised maps of one stage from the normal images, K more from these and the
    unlabeled ones. A_intra is the spread inside the first ensemble, A_inter the distance between the means of both.

    Scores: ``a_rec``, ``a_intra`` and ``a_inter``, each the mean of its map; ``pred_score`` is ``a_inter``, without
    unlabeled images ``a_intra``.

    Differs from the paper: which knows images only. The autoencoders see every place by itself.

    References
    ----------
    Cai, Chen, Yang, Zhou, Cheng, Medical Image Analysis 86 (2023) 102794.
    """

    name = "feature_ddad"
    options_type = FeatureDDADOptions
    uses_unlabeled = True
    meanings = {
        "a_rec": "reconstruction error of what the network sees",
        "a_intra": "disagreement among the ensemble trained on normal images",
        "a_inter": "difference between ensembles trained with and without the unlabeled images",
    }
    presets = PRESETS | {"standard": options.STANDARD, "tiny": PRESETS["tiny"] | {"steps": 2, "ensemble_size": 2}}

    def modules(self, unlabeled: bool) -> dict[str, list[str]]:
        """Return the names of the networks of each module that there is."""
        count = self.options.ensemble_size
        return {m: [f"{m}_{k + 1}" for k in range(count)] for m in (["ndm", "udm"] if unlabeled else ["ndm"])}

    def build(self) -> dict[str, nn.Module]:
        """Return the extractor and the members of both modules."""
        extractor = make_extractor(self.options.extractor, self._weights).eval()
        with torch.no_grad():
            seen = extractor(torch.zeros(1, self.options.channels, 32, 32))
        channels = seen[_stage(extractor.dense)].shape[1]
        names = [name for names in self.modules(self.has_unlabeled_).values() for name in names]
        return {EXTRACTOR: extractor} | {name: PlaceAE(channels) for name in names}

    def stages(self, plan: Plan) -> list[list[Spec]]:
        """Return the fit of how maps are standardised, then the members' phases."""
        first = self.spec(plan.normal, STANDARD, _standard_fit, Sweep(plan.normal.count, plan.normal.count))
        members = [
            self._member(plan if module == "udm" else plan.normal, name)
            for module, names in self.modules(plan.has_unlabeled).items()
            for name in names
        ]
        return [[first], members]

    def analyse(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return reconstruction error and discrepancies."""
        seen = _standardised(self.extractor(x)[_stage(self.extractor.dense)], self.tensors_)
        modules = [
            stack([self.folded_[name](seen) for name in names]) for names in self.modules(self.has_unlabeled_).values()
        ]
        maps = {"a_rec": ensemble_residual(seen, modules[0])} | discrepancies(modules, bessel=False)
        scores = {name: value.mean((1, 2)) for name, value in maps.items()}
        large = {n: F.interpolate(m[:, None], self.options.size, mode="bilinear")[:, 0] for n, m in maps.items()}
        last = list(maps)[-1]
        return scores | {"pred_score": scores[last]}, large | {"anomaly_map": large[last]}

    def _member(self, plan: Plan, name: str) -> Spec:
        relevant = {k: v for k, v in plan.options.of_training().items() if k != "ensemble_size"}
        return self.spec(plan, name, partial(_phase, name=name), plan.options.recipe(plan.count), relevant)

    def _train(self, data: TrainingData, folder: Path, store: PhaseStore | None) -> None:
        frozen = self.read_extractor()
        self._weights, self.has_unlabeled_ = dict(frozen.state_dict()), len(data.files) > 1
        self.load_state(network_state(self.build() | {EXTRACTOR: frozen}), self.has_unlabeled_)
        self._write_maps(data, folder / FILE)
        super()._train(data, folder, store)

    def _write_maps(self, data: TrainingData, path: Path) -> None:
        """Write the maps of all images, float32 (n, channels, h, w), a batch of each core at a time."""
        arrays = [np.load(file, mmap_mode="r", allow_pickle=False) for file in data.files]
        parts = [array[i : i + AT_ONCE] for array in arrays for i in range(0, len(array), AT_ONCE)]
        stage, done, file = _stage(self.extractor.dense), 0, None

        @torch.inference_mode()
        def look(part: np.ndarray) -> np.ndarray:
            return self.extractor(to_unit(part, self.device))[stage].float().cpu().numpy()

        for found in parallel_map(look, parts, self.jobs if self.device.type == "cpu" else 1):
            if file is None:
                shape = (sum(data.counts), *found.shape[1:])
                file = np.lib.format.open_memmap(path, "w+", np.float32, shape)
            file[done : done + len(found)] = found
            done += len(found)


def _stage(dense: tuple[str, ...]) -> str:
    """Return the stage in the middle of those that describe every place."""
    return dense[len(dense) // 2]


def _standard_fit(plan: Plan, recipe: Recipe) -> Fit:
    """Return the fit of each channel's mean and standard deviation over all places of the normal images."""

    def finish(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        maps = np.load(plan.folder / FILE, mmap_mode="r", allow_pickle=False)[: plan.data.counts[0]]
        mean, scale = standard_of(np.moveaxis(maps, 1, -1).reshape(-1, maps.shape[1]))
        return {"mean": torch.from_numpy(mean).float(), "scale": torch.from_numpy(scale).float()}

    return Fit(STANDARD, {}, lambda index: None, finish)


def _standardised(maps: Tensor, tensors: Mapping[str, Tensor]) -> Tensor:
    mean, scale = (tensors[f"{STANDARD}/{name}"][:, None, None] for name in ("mean", "scale"))
    return (maps.float() - mean) / scale


def _phase(plan: Plan, recipe: Recipe, name: str) -> Phase:
    """Return the phase that trains one member on the maps."""
    maps = np.load(plan.folder / FILE, mmap_mode="r", allow_pickle=False)
    device = torch.device(plan.device)
    standard = {n: t.to(device) for n, t in load_tensors(plan.finished(STANDARD))[0].items()}
    network = for_training({name: PlaceAE(maps.shape[1])}, plan.device)[name]
    optimiser, loss = adam_of(plan.options, network), own_loss(network)

    def draw(index: Tensor) -> tuple[Tensor, ...]:
        return (_standardised(torch.from_numpy(maps[index.cpu().numpy()]).to(device), standard),)

    def step(batch: tuple[Tensor, ...]) -> Tensor:
        return gradient_step(optimiser, lambda: loss(*batch), plan.precision)

    return Phase({name: network}, {name: optimiser}, draw, step)
