"""Scoring images with what was fitted, batch by batch."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from medad.data.given import Images, as_images
from medad.data.imageset import ImageSet
from medad.detectors.contract.batches import parallel_map
from medad.detectors.contract.prediction import Prediction
from medad.errors import NotFittedError, UserError
from medad.training.machine.precision import products_in
from medad.training.pixels import to_unit

PIXELS_AT_ONCE = {"cpu": 32 * 64**2, "cuda": 1024 * 64**2}


class Scoring(ABC):
    """The half of a detector that scores; the other is :class:`medad.detectors.contract.detector.Detector`."""

    name: ClassVar[str]
    options: Any
    device: torch.device
    jobs: int
    scoring_precision: str
    threshold_: float | None
    networks_: dict[str, nn.Module]
    tensors_: dict[str, Tensor]

    @abstractmethod
    def analyse(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return scores (n,) and maps (n, S, S) of a batch in [-1, 1], (n, C, S, S)."""

    def predict(self, images: Images, batch_size: int | None = None) -> Iterator[Prediction]:
        """Score `images` batch by batch; the result does not depend on `batch_size` (to a relative 1e-5).

        By default a batch has as many pixels as 32 images of 64 x 64, on a GPU as 1,024. On a CPU every
        core scores a batch.

        Parameters
        ----------
        images : ImageSet, array or list of files
            See :func:`medad.data.given.as_images`.
        batch_size : int, optional
            Images at a time.

        Raises
        ------
        NotFittedError
            Before :meth:`fit`.
        UserError
            For images of another kind or size than the options say.
        """
        self._check_fitted()
        return self._predict(self._given(images), batch_size)

    def scores(self, images: Images) -> dict[str, np.ndarray]:
        """Return the scores of `images` by name, (n,) each, as :meth:`predict` gives them, without maps.

        Raises
        ------
        NotFittedError, UserError
            As :meth:`predict` does; also for no image.
        """
        found = [prediction.scores for prediction in self.predict(images)]
        if not found:
            raise UserError("no images to score")
        return {name: np.concatenate([scores[name] for scores in found]) for name in found[0]}

    def _predict(self, images: ImageSet, batch_size: int | None) -> Iterator[Prediction]:
        threads = self.jobs if self.device.type == "cpu" else 1
        batch_size = batch_size or max(PIXELS_AT_ONCE[self.device.type] // self.options.size**2, 1)
        starts = range(0, len(images), batch_size)
        yield from parallel_map(lambda i: self._score(images, slice(i, i + batch_size)), starts, threads)

    @torch.inference_mode()
    def _score(self, images: ImageSet, rows: slice) -> Prediction:
        bf16 = self.scoring_precision == "bf16"
        with products_in(self.scoring_precision, self.device), torch.autocast(self.device.type, torch.bfloat16, bf16):
            scores, maps = self.analyse(to_unit(images.pixels[rows], self.device))
        numbers = {name: value.double().cpu().numpy() for name, value in scores.items()}
        return Prediction(
            images.ids[rows],
            numbers,
            {name: value.float().cpu().numpy() for name, value in maps.items()},
            None if self.threshold_ is None else (numbers["pred_score"] >= self.threshold_).astype(np.int8),
        )

    def _check_fitted(self) -> None:
        if not self.networks_ and not self.tensors_:
            raise NotFittedError(f"this {self.name} is not fitted: call fit, or take load_detector of a finished run")

    def _given(self, given: Images) -> ImageSet:
        return as_images(given, self.options.preprocessing, self.jobs)
