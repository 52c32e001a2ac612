"""Trainings of GANs for tests: with stops, and single phases."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from helpers import make_images, stages_of
from torch import Tensor, nn

from medad.detectors.contract.detector import Detector
from medad.detectors.contract.plan import TrainingData
from medad.training.checkpoint import load_tensors
from medad.training.job import finished_path
from medad.training.loop import Interrupted, train_in_turns


def training_data(folder: Path, count: int = 12) -> TrainingData:
    """Return generated images as a detector's phases see them."""
    images = make_images(count, seed=1, name="normal")
    np.save(folder / "normal.npy", images.pixels)
    return TrainingData((folder / "normal.npy",), (count,), (images.fingerprint,))


def train(detector: Detector, folder: Path, stops: Sequence[int] = ()) -> dict[str, Tensor]:
    """Train all stages, stopping each after the steps `stops` and going on; return all weights."""
    folder.mkdir(exist_ok=True)
    weights: dict[str, Tensor] = {}
    for stage in stages_of(detector, training_data(folder), folder):
        for stop in [*stops, None]:
            with suppress(Interrupted):
                _train_until(stage, folder, stop)
        for spec in stage:
            weights |= load_tensors(finished_path(folder, spec.name))[0]
    return weights


def _train_until(stage: list, folder: Path, stop: int | None) -> None:
    done = [0]
    train_in_turns(stage, folder, lambda _, steps: done.append(steps), lambda: stop is not None and done[-1] >= stop)


def assert_same_weights(a: dict[str, Tensor], b: dict[str, Tensor]) -> None:
    """Compare bit for bit."""
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)


def assert_nearly_same_weights(a: dict[str, nn.Module], b: dict[str, nn.Module]) -> None:
    """Compare networks, but for a few weights: those whose gradient is rounding go either way in a first step."""
    assert a.keys() == b.keys()
    for name in a:
        one, other = ([*network.parameters(), *network.buffers()] for network in (a[name], b[name]))
        distance = torch.cat([(p - q).abs().double().flatten() for p, q in zip(one, other, strict=True)])
        assert (distance > 1e-5).double().mean() < 0.02, name
