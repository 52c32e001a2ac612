"""Experiment 3: disks beside what trained models reconstruct."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from medad.experiments.reproduce.pitfalls.experiments import SEED, Scale, Task, named
from medad.experiments.reproduce.pitfalls.images import Heads, read_training
from medad.experiments.reproduce.pitfalls.landscape import Found, Landscape, found_in, over_images
from medad.experiments.reproduce.pitfalls.models import MODELS, RECIPES, Model, ModelOptions
from medad.synthesis.disks import disk_masks
from medad.training.phase_store import PhaseStore
from medad.training.workspace import CHECKPOINT_FOLDER, clear_workspace
from medad.workflows.notes import say
from medad.workflows.options import TrainOptions

TOLD = ("steps", "batch_size", "lr", "weight_decay")  # options that all models share
Reconstruct = Callable[[np.ndarray], np.ndarray]  # an image (H, W) in [0, 1] -> what a model makes of it


def beside_normal(image: np.ndarray, mask: np.ndarray, content: np.ndarray, reconstruct: Reconstruct) -> Found:
    """Return what is found beside the reconstruction of the normal image (experiment 3.1)."""
    return found_in(image, mask, content, reconstruct(image))


def beside_anomalous(image: np.ndarray, mask: np.ndarray, content: np.ndarray, reconstruct: Reconstruct) -> Found:
    """Return what is found beside the reconstruction of the image with each anomaly (experiment 3.2)."""
    found = []
    for row in content:
        anomalous = image.copy()
        anomalous[mask] = row
        found.append(found_in(image, mask, row[None], reconstruct(anomalous)))
    aps, residuals = (np.concatenate(part) for part in zip(*found, strict=True))
    return aps, residuals


GIVEN = {"normal": beside_normal, "anomalous": beside_anomalous}  # what is reconstructed


def column_name(model: str, given: str) -> str:
    """Return the name of a model's reconstructions of `GIVEN` images."""
    return f"{model}, {given}"


@dataclass(frozen=True)
class Training:
    """Where the models learn from, and with what.

    Attributes
    ----------
    data : Path
        See :func:`medad.experiments.reproduce.pitfalls.images.read_training`.
    folder : Path
        Of the trainings, which go on where they were stopped and are done once.
    options : TrainOptions
        Of these preset, precision and device count.
    jobs : int
        Number of threads that score.
    """

    data: Path
    folder: Path
    options: TrainOptions
    jobs: int

    @property
    def facts(self) -> Mapping[str, object]:
        """What the weights depend on beside the images."""
        return {"precision": self.options.precision} | {name: getattr(self._of("AE 128", 256), name) for name in TOLD}

    def fit(self, size: int) -> dict[str, Model]:
        """Return the trained models by name."""
        images = read_training(self.data, size)
        fitted = {}
        for name in MODELS:
            say(f"{name}: training on {len(images)} images")
            how = {"precision": self.options.precision, "device": self.options.device, "jobs": self.jobs}
            model = Model(self._of(name, size), seed=SEED, **how)  # type: ignore[arg-type]
            work = self.folder / name.replace(" ", "-")
            fitted[name] = model.fit(images, folder=work, resume=True, store=PhaseStore(self.folder / "weights"))
            clear_workspace(work / CHECKPOINT_FOLDER)  # copies of the images; the weights are stored
        return fitted

    def _of(self, name: str, size: int) -> ModelOptions:
        return ModelOptions(size=size, **(MODELS[name] | RECIPES[self.options.preset]))


def models(heads: Heads, scale: Scale, training: Training) -> Task:
    """Return experiment 3; the models are trained when something is computed."""
    masks, size = disk_masks(heads.pixels, SEED), heads.pixels.shape[1]
    flat = [scale.intensities[:, None]] * len(masks)
    columns = [(model, given) for model in MODELS for given in GIVEN]
    fitted: dict[str, Model] = {}

    def column(number: int, jobs: int) -> Landscape:
        model, given = columns[number]
        judge = partial(GIVEN[given], reconstruct=fitted[model].reconstruct)
        return over_images(heads.pixels, masks, flat, judge, jobs)

    return Task(
        named(scale.intensities),
        [column_name(*one) for one in columns],
        column,
        prepare=lambda: fitted.update(training.fit(size)),
        facts={"training": dict(training.facts)},
    )
