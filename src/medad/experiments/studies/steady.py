"""What makes the maps of DDAD's first stage steadier over trainings: weights, pooling, a floor of sigma.

``python -m medad.experiments.studies.steady --data $MEDAD_DATA`` trains AE-U ensembles on four fifths of the normal and
of the unlabeled images of every data set, once a seed; keeps the last weights of every network and their exponential
average; and stores under ``docs/results/DATASET/steady/``, for every way to make maps of them, how well the other
fifth's unlabeled images are told from its normal ones (AUC_u, which looks at no label), and the AUROC of test images.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from medad.data.imageset import ImageSet
from medad.data.phantom.benchmark import phantom_benchmark
from medad.data.phantom.files import write_phantoms
from medad.detectors.contract.division import Division
from medad.detectors.contract.plan import Plan, TrainingData, patients_of
from medad.detectors.ddad.ddad import DDAD
from medad.detectors.ddad.discrepancy import stack
from medad.detectors.ddad.map_regression import cells_of, regression
from medad.detectors.reconstruction.backbones import make_network
from medad.evaluation.metrics import auroc
from medad.experiments.command import add_data, add_stored, data_folder, existing, run_command, study_parser
from medad.experiments.deduplicated import clean_ids
from medad.files import replacing
from medad.networks.autoencoder import Reconstruction
from medad.networks.folding import folded
from medad.training.checkpoint import load_networks, load_tensors
from medad.training.pixels import in_order, share_pixels, to_unit
from medad.training.spec import CPU
from medad.training.workers import train_phases
from medad.workflows.notes import say
from medad.workflows.options import Preset, TrainOptions
from medad.workflows.splits import load, read_splits
from medad.workflows.train import detector_of

FOLDER = "steady"
PHANTOMS = "phantom_plain"
DATASETS = ("brain_tumor", "pediatric_cxr", "fundus_glaucoma", "adult_cxr", PHANTOMS)
SEEDS = (0, 1, 2)
PRESET: Preset = "standard"
DECAY = 0.999
WEIGHTS = ("last", "average")
POOLINGS = ("mean", "median")
FLOORS = (0.0, 0.05, 0.25, 0.5)  # of sigma: quantiles of that of all pixels of held-out normal images
POOLED = {"mean": lambda x: x.mean(0), "median": lambda x: x.median(0).values}  # over members
GRIDS = (1, 2, 4, 8)  # cells along a side of the maps on which R_nu is a regression
COLUMNS = ("weights", "pooling", "floor", "score", "auc_u", "auroc", "auroc_deduplicated")
AT_ONCE = 64

Modules = Mapping[str, Reconstruction]  # of NDM and UDM: tensors (K, n, C, S, S)


@dataclass(frozen=True)
class Part:
    """Some images, and what the members of both modules make of them by kind of weights."""

    images: Tensor
    modules: Mapping[str, Modules]


def study(dataset: str, data: Path, seed: int, epochs: int, size: int, work: Path, results: Path) -> Path:
    """Train the ensembles of a data set with one seed, and store the figures of all ways to make maps.

    Parameters
    ----------
    dataset, data : str, Path
        Name of the data set, and the folder that holds it.
    seed : int
        Of the trainings and of who is held out.
    epochs, size : int
        Length of training, and K.
    work : Path
        Where training resumes.
    results : Path
        Root of the stored results.
    """
    path = results / dataset / FOLDER / f"k{size}-epochs{epochs}-seed{seed}.csv"
    if path.exists():
        return path
    say(f"{dataset}, seed {seed}")
    options = options_of(seed, epochs, size)
    splits = read_splits(_folder(dataset, data, seed, work), None, options)
    assert splits.unlabeled is not None
    test = load(splits.test, options.preprocessing, "test images", options.jobs)
    work = work / path.stem / dataset
    work.mkdir(parents=True, exist_ok=True)
    given = [part.unlabelled() for part in (splits.normal, splits.unlabeled)]
    detector = detector_of(options)
    assert isinstance(detector, DDAD) and test.labels is not None
    plan, held = _trained(detector, given, work)
    parts = [Part(x, _outputs(detector, plan, x)) for x in (*held, to_unit(test.pixels, CPU))]
    kept = clean_ids(_folder(dataset, data, seed, work))
    unique = np.array([kept is None or name in kept for name in test.ids])
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(_figures(parts, test.labels, unique))
    return path


def options_of(seed: int, epochs: int, size: int) -> TrainOptions:
    """Return how the ensembles are trained."""
    own: dict[str, Any] = {"epochs": epochs, "steps": None, "most_images": None, "member_average": DECAY}
    own |= {"refine": False, "holdout": 0.0}
    return TrainOptions("ddad", "aeu", PRESET, seed=seed, ensemble_size=size, options=own)


def maps_of(x: Tensor, modules: Modules, pooling: str, least: float) -> dict[str, Tensor]:
    """Return the maps of images (n, C, S, S), (n, S, S) each.

    Parameters
    ----------
    x : Tensor
        The images.
    modules : mapping
        What the members of both modules make of them.
    pooling : str
        How reconstructions and variances of the members become one, and what their spread is: ``"mean"``, with the
        standard deviation, or ``"median"``, with the median distance from it.
    least : float
        What sigma is at least.
    """
    ndm, udm = modules["ndm"], modules["udm"]
    assert ndm.log_variance is not None
    pool = POOLED[pooling]
    centre = pool(ndm.mean)
    distances = (ndm.mean - centre).abs()
    spread = distances.square().mean(0).sqrt() if pooling == "mean" else pool(distances)
    sigma = pool(ndm.log_variance.exp()).sqrt().clamp(min=least)
    maps = {
        "a_rec_ensemble": ((x - centre) / sigma).square(),
        "a_intra": spread / sigma,
        "a_inter": (centre - pool(udm.mean)).abs() / sigma,
    }
    return {name: value.mean(1) for name, value in maps.items()}


def _trained(detector: Any, given: list[ImageSet], work: Path) -> tuple[Plan, list[Tensor]]:
    """Train the members on four fifths of the normal and the unlabeled images; return the others of both."""
    data = TrainingData(
        tuple(share_pixels(part, work / f"{i}.npy") for i, part in enumerate(given)),
        tuple(map(len, given)),
        tuple(part.fingerprint for part in given),
        patients_of(given),
    )
    plan = detector.plan(data, work)
    train, held = (np.sort(rows) for rows in Division.of(plan).folds[0])
    (members,) = detector.stages(plan.part(train))
    train_phases(members, work, detector.jobs)
    rest = plan.part(held)
    x = torch.cat(list(in_order(rest.images(), AT_ONCE)))
    return plan, list(x.split(rest.data.counts))


@torch.inference_mode()
def _outputs(detector: DDAD, plan: Plan, x: Tensor) -> dict[str, Modules]:
    found: dict[str, Modules] = {}
    for weights in WEIGHTS:
        networks = {m: [_network(plan, n, weights) for n in detector.members(m)] for m in detector.modules(True)}
        found[weights] = {
            module: stack([_joined([network(part) for part in x.split(AT_ONCE)]) for network in some])
            for module, some in networks.items()
        }
    return found


def _network(plan: Plan, name: str, weights: str) -> nn.Module:
    key = name if weights == "average" else f"{name}_{weights}"
    network = make_network(plan.options.backbone, plan.options)
    load_networks({key: network}, load_tensors(plan.finished(name))[0])
    return folded(network)


def _joined(parts: list[Reconstruction]) -> Reconstruction:
    means, variances = ([getattr(part, name) for part in parts] for name in ("mean", "log_variance"))
    return Reconstruction(torch.cat(means), torch.cat(variances))


def _figures(parts: list[Part], labels: np.ndarray, unique: np.ndarray) -> Iterator[list[object]]:
    """Yield a row for every way to make maps, and every map; the parts: held-out normal, unlabeled, test images."""
    pools = np.repeat([0, 1], [len(part.images) for part in parts[:2]])
    for weights, pooling, floor in product(WEIGHTS, POOLINGS, FLOORS):
        variance = parts[0].modules[weights]["ndm"].log_variance
        assert variance is not None
        least = float(np.quantile(POOLED[pooling](variance.exp()).sqrt().numpy(), floor)) if floor else 0.0
        maps = [maps_of(p.images, p.modules[weights], pooling, least) for p in parts]
        scores = {name: [one[name].mean((1, 2)).numpy() for one in maps] for name in maps[0]}
        pairs = {name: (np.concatenate(some[:2]), some[2]) for name, some in scores.items()}
        for grid in GRIDS:
            *held_out, rows = (cells_of(list(one.values()), grid).numpy() for one in maps)
            held, line = regression(np.concatenate(held_out), pools, 0, None)
            pairs[f"r_nu_{grid}"] = held, rows @ line[:-1]
        for name, (held, test) in pairs.items():
            found = [auroc(pools, held), *(auroc(labels[rows], test[rows]) for rows in (slice(None), unique))]
            yield [weights, pooling, floor, name, *(f"{figure:.6f}" for figure in found)]


def _folder(dataset: str, data: Path, seed: int, work: Path) -> Path:
    """Return the folder of a data set; phantoms are generated, others with each seed."""
    if dataset != PHANTOMS:
        return data / dataset
    folder = work / f"seed{seed}" / PHANTOMS
    write_phantoms(folder, phantom_benchmark(seed=seed, level="plain"))
    return folder


def main() -> None:
    """Train and store what is not stored."""
    parser = study_parser("steady", __doc__)
    parser.add_argument("datasets", nargs="*", default=list(DATASETS), help=f"by default {' '.join(DATASETS)}")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS), help="0 1 2 by default")
    parser.add_argument("--epochs", type=int, default=100, help="length of training; 100 by default")
    parser.add_argument("--ensemble-size", type=int, default=3, help="K; 3 by default")
    parser.add_argument("--work", type=Path, default=Path("runs/steady"), help="where training resumes")
    add_stored(parser)
    add_data(parser)
    a = parser.parse_args()
    data, stored = data_folder(a.data), existing(a.stored)
    for seed in a.seeds:
        for dataset in a.datasets:
            print(study(dataset, data, seed, a.epochs, a.ensemble_size, a.work, stored))


if __name__ == "__main__":
    run_command(main)
