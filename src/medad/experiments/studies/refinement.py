"""How steady are the refined scores? ASR-Net trained anew on the members of a run, test AUROC over the epochs.

``python -m medad.experiments.studies.refinement RUN DATA --variant paper --seed 1`` trains and stores a CSV under
``docs/results/DATASET/METHOD/refinement/``. The test images are looked at to measure how the figure swings,
never to choose an epoch.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import torch

from medad.data.imageset import ImageSet
from medad.data.loading import load_or_fail
from medad.data.repartition import Repartition
from medad.detectors.contract.plan import TrainingData
from medad.detectors.ddad.anomalies import PUBLISHED, SYNTHESES
from medad.detectors.ddad.asr_net import ASRNet
from medad.detectors.ddad.ddad import DDAD
from medad.detectors.ddad.ensemble import Ensemble
from medad.detectors.registry import load_detector
from medad.evaluation.metrics import auroc, average_precision
from medad.experiments.command import add_stored, run_command, study_parser
from medad.experiments.deduplicated import clean_ids
from medad.experiments.stored import method_folder
from medad.files import replacing
from medad.ownership import claim_file
from medad.training.checkpoint import load_networks, load_tensors, network_state, save_tensors
from medad.training.job import finished_path
from medad.training.pixels import share_pixels
from medad.training.run_folder import read_run
from medad.training.spec import Spec
from medad.training.workers import train_phases

# The average is passive: beside it the last weights of "average" are those of the paper's trial.
AVERAGE = {"refine_average": 0.999}
VARIANTS: dict[str, dict[str, Any]] = {
    "paper": {},
    "average": AVERAGE,
    "cosine": AVERAGE | {"refine_cosine": True},
    "brief": AVERAGE | {"refine_width": 64, "refine_epochs": 20},
    "batch32": AVERAGE | {"refine_batch_size": 32, "refine_lr": 2e-4},
}
COLUMNS = ("epoch", "weights", "auroc", "ap", "auroc_deduplicated", "ap_deduplicated")


@dataclass(frozen=True)
class TestMaps:
    """The discrepancy maps of the test images, (n, 2, S, S), their labels and which are no duplicates."""

    maps: torch.Tensor
    labels: np.ndarray
    unique: np.ndarray


@dataclass(frozen=True)
class Trial:
    """A way to train ASR-Net: variant, score, seed, precision, epochs between two looks, synthetic anomalies."""

    variant: str
    score: str = "r_dual"
    seed: int = 0
    precision: str = "bf16"
    every: int = 5
    synthesis: str = PUBLISHED

    @property
    def name(self) -> str:
        """Name of the file of its curve."""
        other = self.synthesis if self.synthesis != PUBLISHED else ""
        return "-".join(filter(None, (self.score, self.variant, other, self.precision, f"seed{self.seed}")))

    @property
    def changes(self) -> dict[str, Any]:
        """What it changes of the options of the run."""
        return VARIANTS[self.variant] | {"refine_snapshots": self.every, "synthesis": self.synthesis}


def study(run: Path, data: Path, trial: Trial, out: Path, work: Path) -> Path:
    """Train the ASR-Net of one score and write ``SCORE-VARIANT-PRECISION-seedN.csv`` into `out`.

    Parameters
    ----------
    run : Path
        A finished DDAD run with unlabeled images, whose members are used as they are.
    data : Path
        The data set that it was trained on.
    trial : Trial
        How ASR-Net is trained.
    out, work : Path
        Folders for the result and for the state of training, which resumes.
    """
    path = out / f"{trial.name}.csv"
    claim_file(path, ",".join(COLUMNS))
    detector = load_detector(run, device="cpu")
    assert isinstance(detector, DDAD)
    preprocessing = detector.options.preprocessing
    who = Repartition.read(data)
    spec = _spec(detector, trial, load_or_fail(who.normal, preprocessing, "normal images").images, work)
    train_phases([spec], work, 1, f"ASR-Net, {trial.name}")
    test = _test_maps(detector, load_or_fail(who.test, preprocessing, "test images").images, data)
    out.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(_curve(work, trial, detector, test))
    return path


def _spec(detector: DDAD, trial: Trial, normal: ImageSet, work: Path) -> Spec:
    """Lay the members where ASR-Net's phase looks for them, and describe that phase."""
    work.mkdir(parents=True, exist_ok=True)
    names = detector.ensembles[0].members
    for name in names:
        save_tensors(finished_path(work, name), network_state({name: detector.networks_[name]}))
    other = DDAD(replace(detector.options, **trial.changes), seed=trial.seed, precision=trial.precision, device="cpu")
    data = TrainingData((share_pixels(normal, work / "normal.npy"),), (len(normal),), (normal.fingerprint,))
    spec = other.refiner(other.plan(data, work), trial.score, Ensemble(other.options, True))
    members = blake2b(b"".join(finished_path(work, name).read_bytes() for name in names), digest_size=8)
    return replace(spec, key=f"{spec.key}-{members.hexdigest()}")  # the same members, not just the same options


@torch.inference_mode()
def _test_maps(detector: DDAD, images: ImageSet, data: Path) -> TestMaps:
    batches = [prediction.maps for prediction in detector.predict(images)]
    maps = [np.concatenate([batch[name] for batch in batches]) for name in ("a_intra", "a_inter")]
    kept = set(clean_ids(data) or images.ids)
    assert images.labels is not None
    return TestMaps(torch.from_numpy(np.stack(maps, 1)), images.labels, np.array([i in kept for i in images.ids]))


def _curve(work: Path, trial: Trial, detector: DDAD, test: TestMaps) -> Iterator[list[object]]:
    """Yield a row for the last and, if there are any, one for the averaged weights of every stored epoch."""
    score, width = trial.score, trial.changes.get("refine_width", detector.options.refine_width)
    epochs = [path.name.split(".")[1] for path in work.glob(f"{score}.*.safetensors")]
    for epoch in sorted(int(epoch) for epoch in epochs if epoch != "partial"):
        tensors, _ = load_tensors(work / f"{score}.{epoch}.safetensors")
        averaged = any(name.startswith(f"{score}_last/") for name in tensors)
        kinds = {"last": f"{score}_last", "average": score} if averaged else {"last": score}
        for weights, stored_as in kinds.items():
            network = ASRNet(2 if score == "r_dual" else 1, width).eval()
            load_networks({stored_as: network}, tensors)
            yield [epoch, weights, *(f"{figure:.6f}" for figure in _figures(network, test))]


@torch.inference_mode()
def _figures(network: ASRNet, test: TestMaps) -> Iterator[float]:
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    inputs = test.maps[:, : network.model[0].in_channels]  # R_intra sees A_intra only
    scores = torch.cat([network.refine(batch).mean((1, 2)) for batch in inputs.split(100)]).double().numpy()
    for chosen in (slice(None), test.unique):
        yield auroc(test.labels[chosen], scores[chosen])
        yield average_precision(test.labels[chosen], scores[chosen])


def main() -> None:
    """Run one variant with one seed."""
    parser = study_parser("refinement", __doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--variant", choices=VARIANTS, default="average")
    parser.add_argument("--score", choices=("r_dual", "r_intra"), default="r_dual")
    parser.add_argument("--synthesis", choices=SYNTHESES, default=PUBLISHED, help=f"{PUBLISHED} by default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="bf16")
    parser.add_argument("--every", type=int, default=5, help="epochs between two looks")
    add_stored(parser)
    parser.add_argument("--work", type=Path, default=Path("runs/refinement"), help="where training resumes")
    a = parser.parse_args()
    trial = Trial(a.variant, a.score, a.seed, a.precision, a.every, a.synthesis)
    run = read_run(a.run)
    out = a.stored / a.data.name / method_folder(run) / f"refinement-of-seed{run['seed']}"
    work = a.work / f"{a.data.name}-{method_folder(run)}-{run['seed']}-{trial.name}"
    print(study(a.run, a.data, trial, out, work))


if __name__ == "__main__":
    run_command(main)
