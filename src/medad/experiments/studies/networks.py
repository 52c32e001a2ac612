"""The networks of stored runs of DDAD, pooled: the scores of test images by whatever maps are made of them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from medad.data.imageset import ImageSet
from medad.data.loading import load_or_fail
from medad.data.repartition import Repartition
from medad.detectors.ddad.ddad import DDAD
from medad.detectors.ddad.discrepancy import stack
from medad.detectors.ddad.options import DDADOptions
from medad.detectors.registry import load_detector
from medad.networks.autoencoder import Reconstruction
from medad.training.pixels import to_unit

BATCH = 64
MapsOf = Callable[[Reconstruction, Reconstruction], Mapping[str, Tensor]]


def load(run: Path) -> DDAD:
    """Return the detector of a run of DDAD."""
    detector = load_detector(run)
    assert isinstance(detector, DDAD)
    return detector


def labelled_test_images(data: Path, options: DDADOptions) -> tuple[ImageSet, np.ndarray]:
    """Return the test images of a data set as a detector with `options` sees them, and their labels (n,)."""
    preprocessing = options.preprocessing
    images = load_or_fail(Repartition.read(data).test, preprocessing, "test images").images
    assert images.labels is not None
    return images, images.labels


@torch.inference_mode()
def scores(detectors: Sequence[DDAD], images: ImageSet, maps_of: MapsOf) -> dict[str, np.ndarray]:
    """Return image scores (n,): the means of the maps that `maps_of` makes of the pooled NDMs and UDMs."""
    found: dict[str, list[Tensor]] = {}
    modules = [(d, d.ensembles[0].modules) for d in detectors]
    for start in range(0, len(images), BATCH):
        x = to_unit(images.pixels[start : start + BATCH], detectors[0].device)
        ndm, udm = (stack([d.networks_[k](x) for d, names in modules for k in names[m]]) for m in ("ndm", "udm"))
        for name, value in maps_of(ndm, udm).items():
            found.setdefault(name, []).append(value.mean((1, 2)))
    return {name: torch.cat(parts).double().cpu().numpy() for name, parts in found.items()}
