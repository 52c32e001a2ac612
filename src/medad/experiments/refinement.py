"""How steady is R_dual? ASR-Net trained anew on the fixed members of a run, its test AUROC over the epochs.

``python -m medad.experiments.refinement RUN DATA --variant paper --seed 1`` trains and stores a CSV under
``docs/results/DATASET/METHOD/refinement/``. The test images are looked at to measure how the figure swings,
never to choose an epoch.
"""

import argparse
import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from medad.data.imageset import ImageSet
from medad.data.loading import load_or_fail
from medad.data.preprocessing import Preprocessing
from medad.data.repartition import Repartition
from medad.detectors.base import TrainingData
from medad.detectors.ddad import DDAD
from medad.detectors.registry import load_detector
from medad.evaluation.metrics import auroc, average_precision
from medad.experiments.store import RESULTS, method_folder
from medad.experiments.table3 import DEDUPLICATED
from medad.networks.asr import ASRNet
from medad.training.checkpoint import load_networks, load_tensors, network_state, save_tensors
from medad.training.loop import finished_path
from medad.training.phase import PhaseSpec
from medad.training.pixels import share_pixels
from medad.training.run import read_run
from medad.training.workers import train_phases

EVERY = 5  # epochs between two looks

# The average is passive: beside it the last weights of "paper" are those of the paper's recipe.
VARIANTS: dict[str, dict[str, Any]] = {
    "paper": {"refine_average": 0.999},
    "cosine": {"refine_average": 0.999, "refine_cosine": True},
    "batch32": {"refine_average": 0.999, "refine_batch_size": 32, "refine_lr": 2e-4},
}


@dataclass(frozen=True)
class TestMaps:
    """The discrepancy maps of the test images, (n, 2, S, S), their labels and which are no duplicates."""

    maps: torch.Tensor
    labels: np.ndarray
    unique: np.ndarray


def study(run: Path, data: Path, variant: str, seed: int, out: Path, work: Path) -> Path:
    """Train the ASR-Net of R_dual in bf16 and write ``VARIANT-seedN.csv`` into `out`.

    Parameters
    ----------
    run : Path
        A finished DDAD run with unlabeled images, whose members are used as they are.
    data : Path
        The data set that it was trained on.
    variant : str
        A name in `VARIANTS`.
    seed : int
        Seed of ASR-Net.
    out, work : Path
        Folders for the result and for the state of training, which resumes.
    """
    detector = load_detector(run, device="cpu")
    assert isinstance(detector, DDAD)
    preprocessing = Preprocessing(detector.options.size, detector.options.channels)
    who = Repartition.read(data)
    spec = _spec(detector, variant, seed, load_or_fail(who.normal, preprocessing, "normal images").images, work)
    train_phases([spec], work, 1, f"ASR-Net, {variant}, seed {seed}")
    test = _test_maps(detector, load_or_fail(who.test, preprocessing, "test images").images, data)
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{variant}-seed{seed}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["epoch", "weights", "auroc", "ap", "auroc_deduplicated", "ap_deduplicated"])
        writer.writerows(_curve(work, detector.options.refine_width, test))
    return path


def _spec(detector: DDAD, variant: str, seed: int, normal: ImageSet, work: Path) -> PhaseSpec:
    """Lay the members where ASR-Net's phase looks for them, and describe that phase."""
    work.mkdir(parents=True, exist_ok=True)
    for module in detector.modules:
        for name in detector.members(module):
            save_tensors(finished_path(work, name), network_state({name: detector.networks_[name]}))
    changed = replace(detector.options, **VARIANTS[variant], refine_snapshots=EVERY)
    other = DDAD(changed, seed=seed, precision="bf16", device="cpu")
    other.has_unlabeled_ = True
    files = (share_pixels(normal, work / "normal.npy"),)
    stages = other.stages(TrainingData(files, (len(normal),), (normal.fingerprint,)), work)
    return next(spec for spec in stages[-1] if spec.name == "r_dual")


@torch.inference_mode()
def _test_maps(detector: DDAD, images: ImageSet, data: Path) -> TestMaps:
    batches = [prediction.maps for prediction in detector.predict(images)]
    maps = [np.concatenate([batch[name] for batch in batches]) for name in ("a_intra", "a_inter")]
    split = data / DEDUPLICATED
    kept = {entry.id for entry in (Repartition.read(split) if split.exists() else Repartition.read(data)).test}
    assert images.labels is not None
    return TestMaps(torch.from_numpy(np.stack(maps, 1)), images.labels, np.array([i in kept for i in images.ids]))


def _curve(work: Path, width: int, test: TestMaps) -> Iterator[list[object]]:
    """Yield a row for the last and one for the averaged weights of every stored epoch."""
    epochs = sorted(
        int(path.suffixes[0][1:]) for path in work.glob("r_dual.*.safetensors") if "partial" not in path.name
    )
    for epoch in epochs:
        tensors, _ = load_tensors(work / f"r_dual.{epoch}.safetensors")
        for weights, stored_as in (("last", "r_dual_last"), ("average", "r_dual")):
            network = ASRNet(2, width).eval()
            load_networks({stored_as: network}, tensors)
            yield [epoch, weights, *(f"{figure:.6f}" for figure in _figures(network, test))]


@torch.inference_mode()
def _figures(network: ASRNet, test: TestMaps) -> Iterator[float]:
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    scores = torch.cat([network.refine(batch).mean((1, 2)) for batch in test.maps.split(100)]).double().numpy()
    for chosen in (slice(None), test.unique):
        yield auroc(test.labels[chosen], scores[chosen])
        yield average_precision(test.labels[chosen], scores[chosen])


def main() -> None:
    """Run one variant with one seed."""
    parser = argparse.ArgumentParser(prog="python -m medad.experiments.refinement", description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--variant", choices=VARIANTS, default="paper")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--work", type=Path, default=Path("runs/refinement"))
    arguments = parser.parse_args()
    out = arguments.results / arguments.data.name / method_folder(read_run(arguments.run)) / "refinement"
    work = arguments.work / f"{out.parent.parent.name}-{out.parent.name}-{arguments.variant}-seed{arguments.seed}"
    print(study(arguments.run, arguments.data, arguments.variant, arguments.seed, out, work))


if __name__ == "__main__":
    main()
