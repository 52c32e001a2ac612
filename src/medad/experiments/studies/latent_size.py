"""``medad suggest-latent-size``: how long the code of an autoencoder should be for a data set."""

import csv
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import cast

import numpy as np
import torch

from medad.data.imageset import ImageSet
from medad.data.repartition import Repartition
from medad.detectors.contract.detector import Detector
from medad.detectors.contract.holdout import split_holdout
from medad.detectors.contract.plan import TrainingData
from medad.detectors.registry import make_detector
from medad.errors import UserError
from medad.files import replacing
from medad.networks.autoencoder import AE
from medad.ownership import claim_file
from medad.training.checkpoint import load_tensors
from medad.training.job import finished_path
from medad.training.machine.precision import products_in
from medad.training.pixels import share_pixels, to_unit
from medad.training.spec import Spec
from medad.training.workers import train_phases
from medad.workflows.notes import say
from medad.workflows.options import TrainOptions
from medad.workflows.splits import load

METHOD = "ae"
SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
HELD_OUT = 0.2  # share of the normal images on which errors are measured
TOLERATED = 0.25  # share of the fall of the error, from the smallest to the largest size, that may be missing
RIDGE = 1e-3
BATCH = 64
NOTE = (
    "A heuristic: the smallest size at which the error on held-out normal images has fallen by three quarters of what "
    "it falls from 1 to 128. It is not the rule of Cai, Chen and Cheng (MICCAI 2024), whose best sizes were found "
    "with the labels of test images: smaller ones may detect better."
)


@dataclass(frozen=True)
class LatentSize:
    """What the autoencoder with one latent size does on normal images.

    Attributes
    ----------
    latent : int
        The size, d.
    error : float
        Mean squared residual of held-out images in [-1, 1].
    entropy : float
        0.5 log det (covariance of the training images' codes + 0.001 I), nats: stands for the codes' entropy.
    """

    latent: int
    error: float
    entropy: float


COLUMNS = (*(field.name for field in fields(LatentSize)), "suggested")


def suggest_latent_size(data: Path, options: TrainOptions, split: Path | None = None, out: Path | None = None) -> int:
    """Train an autoencoder with each of `SIZES`, print what they do on normal images, and suggest one.

    Parameters
    ----------
    data : Path
        Folder of the data set, or its split file.
    options : TrainOptions
        Preset, size of the images, seed and machine; further options are those of method ``ae``.
    split : Path, optional
        Split file to use instead of the folder's own.
    out : Path, optional
        CSV file to write; it replaces only one that it wrote before.

    Returns
    -------
    int
        The suggestion.

    Raises
    ------
    UserError
        If the data or an option do not allow it, or there are too few normal images.
    """
    if "latent" in options.options:
        raise UserError("`options.latent`: this is what is looked for")
    if out is not None and out.is_dir():
        raise UserError(f"{out}: is a folder; name a file, e.g. {out / 'latent_sizes.csv'}")
    if out is not None:
        claim_file(out, ",".join(COLUMNS))
    detectors = {latent: _detector(latent, options) for latent in SIZES}
    entries = [replace(entry, mask=None, kind="") for entry in Repartition.read(data, split).normal]
    if not entries:
        raise UserError(f"{split or data}: no normal images to learn from; list some in the split normal")
    images = load(entries, options.preprocessing, "normal images", options.jobs)
    with warnings.catch_warnings(action="ignore"):  # what cannot be done is an error here
        train, held_out = split_holdout(images, HELD_OUT, options.seed)
    if held_out is None:
        raise UserError(f"{split or data}: too few normal images to hold some out")
    say(f"normal images: {len(train)} to learn from, {len(held_out)} held out")
    found = sweep(detectors, train, held_out)
    best = suggested({row.latent: row.error for row in found})
    print(f"{'latent':>6} {'held-out error':>16} {'code entropy':>14}")
    for row in found:
        print(f"{row.latent:6d} {row.error:16.6f} {row.entropy:14.2f}{'  <- suggested' if row.latent == best else ''}")
    print(f"suggested: --options.latent {best}\n{NOTE}", flush=True)  # before what a full disk may stop
    if out is not None:
        _write(out, found, best)
    return best


def suggested(errors: Mapping[int, float]) -> int:
    """Return the smallest d with e(d) <= e(D) + 0.25 (e(1) - e(D)), of errors by d from 1 to the largest, D."""
    first, last = errors[min(errors)], errors[max(errors)]
    return min(d for d, error in errors.items() if error <= last + TOLERATED * (first - last))


def sweep(detectors: Mapping[int, Detector], train: ImageSet, held_out: ImageSet) -> list[LatentSize]:
    """Fit all detectors, as many at a time as there are cores, and return what each does.

    Parameters
    ----------
    detectors : mapping
        Latent size -> unfitted detector ``ae``; they agree in all but that.
    train, held_out : ImageSet
        Normal images.
    """
    with tempfile.TemporaryDirectory(prefix="medad-") as temporary:
        folder = Path(temporary)
        data = TrainingData((share_pixels(train, folder / "normal.npy"),), (len(train),), (train.fingerprint,))
        specs = {latent: _spec(latent, detector, data, folder) for latent, detector in detectors.items()}
        first = next(iter(detectors.values()))
        with products_in(first.precision, first.device):
            train_phases(list(specs.values()), folder, first.jobs, "training")
        for latent, detector in detectors.items():
            detector.load_state(load_tensors(finished_path(folder, specs[latent].name))[0])
    return [
        LatentSize(latent, mean_error(detector, held_out), code_entropy(_codes(detector, train)))
        for latent, detector in detectors.items()
    ]


def _detector(latent: int, options: TrainOptions) -> Detector:
    given = {"form": "medianomaly"} | options.detector_options() | {"latent": latent}
    return make_detector(
        METHOD,
        options.preset,
        seed=options.seed,
        precision=options.precision,
        device=options.device,
        jobs=options.jobs,
        **given,
    )


def _spec(latent: int, detector: Detector, data: TrainingData, folder: Path) -> Spec:
    ((spec,),) = detector.stages(detector.plan(data, folder))
    return replace(spec, name=f"{spec.name}_{latent}")


def mean_error(detector: Detector, images: ImageSet) -> float:
    """Return the mean score of `images`."""
    return float(np.concatenate([p.scores["pred_score"] for p in detector.predict(images)]).mean())


def code_entropy(codes: np.ndarray) -> float:
    """Return 0.5 log det (cov + 0.001 I) of codes (n, d), nats."""
    covariance = np.atleast_2d(np.cov(codes.astype(np.float64), rowvar=False))
    return float(0.5 * np.linalg.slogdet(covariance + RIDGE * np.eye(len(covariance)))[1])


@torch.inference_mode()
def _codes(detector: Detector, images: ImageSet) -> np.ndarray:
    network = cast(AE, detector.folded_[METHOD])
    starts = range(0, len(images), BATCH)
    codes = [network.encode(to_unit(images.pixels[i : i + BATCH], detector.device)) for i in starts]
    return torch.cat(codes).cpu().numpy()


def _write(path: Path, rows: list[LatentSize], best: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(asdict(row) | {"suggested": int(row.latent == best)} for row in rows)
