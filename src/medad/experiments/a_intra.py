"""Why A_intra of AE-U differs from the published figure: other readings of its formula, on the members of a run.

``python -m medad.experiments.a_intra RUN DATA`` prints a section in Markdown. Nothing is chosen by it: it shows
that no reading of the formula explains the difference.
"""

import argparse
import datetime
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from medad.data.imageset import ImageSet
from medad.data.loading import load_or_fail
from medad.data.preprocessing import Preprocessing
from medad.data.repartition import Repartition
from medad.detectors.ddad.ddad import DDAD, DDADOptions
from medad.detectors.ddad.discrepancy import a_intra, mean_variance, stack
from medad.detectors.registry import load_detector
from medad.evaluation.metrics import auroc
from medad.experiments.command import run_command
from medad.experiments.deduplicated import split_told
from medad.experiments.store import method_folder
from medad.networks.autoencoder import AEU, Reconstruction
from medad.reports.markdown import markdown_table
from medad.training.pixels import to_unit
from medad.training.run_folder import read_run

BATCH = 64
MapsOf = Callable[[Reconstruction, Reconstruction], Mapping[str, Tensor]]


def readings(ndm: Reconstruction, udm: Reconstruction) -> dict[str, Tensor]:
    """Return A_intra as we read it and in other readings, each a map (n, S, S)."""
    own, other = mean_variance(ndm), mean_variance(udm)
    assert own is not None and other is not None and ndm.log_variance is not None
    spread = ndm.mean.std(0, correction=0)
    return {
        "std / sigma of the NDM (ours)": a_intra(ndm),
        "divisor K - 1": a_intra(ndm, bessel=True),
        "std / mean of the sigmas": (spread / (ndm.log_variance / 2).exp().mean(0)).mean(1),
        "std / sigma of the UDM": (spread / other.sqrt()).mean(1),
        "std / sigma^2": (spread / own).mean(1),
        "variance / sigma^2": (spread.square() / own).mean(1),
        "std of the UDM / its sigma": a_intra(udm),
        "std alone, without sigma": spread.mean(1),
    }


def load(run: Path) -> DDAD:
    """Return the detector of a run of DDAD."""
    detector = load_detector(run)
    assert isinstance(detector, DDAD)
    return detector


def labelled_test_images(data: Path, options: DDADOptions) -> tuple[ImageSet, np.ndarray]:
    """Return the test images of a data set as a detector with `options` sees them, and their labels (n,)."""
    preprocessing = Preprocessing(options.size, options.channels)
    images = load_or_fail(Repartition.read(data).test, preprocessing, "test images").images
    assert images.labels is not None
    return images, images.labels


@torch.inference_mode()
def scores(detectors: Sequence[DDAD], images: ImageSet, maps_of: MapsOf) -> dict[str, np.ndarray]:
    """Return image scores (n,): the means of the maps that `maps_of` makes of the pooled NDMs and UDMs."""
    found: dict[str, list[Tensor]] = {}
    for start in range(0, len(images), BATCH):
        x = to_unit(images.pixels[start : start + BATCH], detectors[0].device)
        ndm, udm = (stack([d.networks_[k](x) for d in detectors for k in d.members(m)]) for m in ("ndm", "udm"))
        for name, value in maps_of(ndm, udm).items():
            found.setdefault(name, []).append(value.mean((1, 2)))
    return {name: torch.cat(parts).double().cpu().numpy() for name, parts in found.items()}


def table(run: Path, data: Path) -> str:
    """Return a section in Markdown: AUROC of every reading, with log(sigma^2) clamped and not."""
    detector = load(run)
    images, labels = labelled_test_images(data, detector.options)
    clamped = scores([detector], images, readings)
    for network in detector.networks_.values():
        if isinstance(network, AEU):
            network.log_variance_limit = math.inf
    free = scores([detector], images, readings)
    columns = [["A_intra read as", "AUROC, %", "AUROC without the clamp, %"]]
    rows = [[name, *(f"{100 * auroc(labels, s[name]):.1f}" for s in (clamped, free))] for name in clamped]
    heading = (
        f"## Other readings of A_intra, {method_folder(read_run(run))}, seed {detector.seed}",
        f"Printed on {datetime.date.today()} by `python -m medad.experiments.a_intra RUN DATA`, {split_told(data)}.",
    )
    return "\n\n".join([*heading, markdown_table(columns + rows)])


def main() -> None:
    """Print the table of one run."""
    parser = argparse.ArgumentParser(prog="python -m medad.experiments.a_intra", description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("data", type=Path)
    arguments = parser.parse_args()
    print(table(arguments.run, arguments.data))


if __name__ == "__main__":
    run_command(main)
