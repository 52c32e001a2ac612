"""Any detector as an outlier detector of scikit-learn, with scikit-learn's signs."""

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data
from torch.nn import functional as F

from medad.data.imageset import ImageSet
from medad.detectors.registry import make_detector

BATCH = 32


class SklearnDetector(OutlierMixin, BaseEstimator):
    """A detector that scikit-learn's tools understand: pipelines, searches, scorers.

    Rows of ``X`` are images, flattened. `score_samples` and `decision_function` are *lower* for abnormal
    images, as everywhere in scikit-learn; medad's own scores are higher for them.

    Parameters
    ----------
    method, preset : str
        Which detector, as ``medad methods`` lists them, and its recipe.
    options : mapping, optional
        Options of the method that override the preset.
    contamination : float
        Share of the training images that is called abnormal, in (0, 0.5].
    image_shape : tuple of int, optional
        (C, H, W), (H, W) or None: then features fill the smallest square that holds them, row by row.
    value_range : tuple of float, optional
        Values of black and white, e.g. (0, 255); what lies outside is clipped. By default the range of the
        training images is the middle half between them, so that outliers may lie beyond it.
    random_state : int, RandomState or None
        From where the seed comes.
    precision, device, jobs
        See :class:`medad.detectors.contract.detector.Detector`; jobs -1 takes all cores, as None does.

    Attributes
    ----------
    detector_ : Detector
        The fitted detector.
    offset_ : float
        ``decision_function(X) = score_samples(X) - offset_``.
    value_range_ : tuple of float
        Values of black and white.
    n_features_in_ : int
        Length of a row.
    """

    def __init__(
        self,
        method: str = "ddad",
        preset: str = "standard",
        options: Mapping[str, Any] | None = None,
        contamination: float = 0.1,
        image_shape: tuple[int, ...] | None = None,
        value_range: tuple[float, float] | None = None,
        random_state: Any = 0,
        precision: str = "fp32",
        device: str = "auto",
        jobs: int | None = None,
    ) -> None:
        self.method = method
        self.preset = preset
        self.options = options
        self.contamination = contamination
        self.image_shape = image_shape
        self.value_range = value_range
        self.random_state = random_state
        self.precision = precision
        self.device = device
        self.jobs = jobs

    def fit(self, X: np.ndarray, y: object = None, unlabeled: np.ndarray | None = None) -> Self:
        """Learn from images that are normal, or nearly all are.

        Parameters
        ----------
        X : array_like
            (n, features), at least two.
        y : object
            Not used.
        unlabeled : array_like, optional
            (m, features) further images, of which some are abnormal, for methods that learn from such.

        Raises
        ------
        ValueError
            For data that scikit-learn's estimators do not take, features that do not fit `image_shape`, a
            `contamination`, `value_range` or `image_shape` that is none, or options that are parameters here.
        UserError
            For a method, preset or option that there is not.
        """
        self._check_parameters()
        X = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        self.value_range_ = tuple(self.value_range) if self.value_range else _widened(X)
        seed = self.random_state
        if not isinstance(seed, int | np.integer):
            seed = int(check_random_state(seed).randint(2**31))
        options = dict(self.options or {}) | {"channels": self._shape()[0]}
        jobs = None if self.jobs == -1 else self.jobs
        machine: dict[str, Any] = {"precision": self.precision, "device": self.device, "jobs": jobs}
        self.detector_ = make_detector(self.method, self.preset, seed=int(seed), **machine, **options)
        pool = None if unlabeled is None else validate_data(self, unlabeled, dtype=np.float64, reset=False)
        self.detector_.fit(self._images(X), None if pool is None else self._images(pool))
        self.offset_ = float(np.percentile(self._scores(X), 100 * self.contamination))
        return self

    def _check_parameters(self) -> None:
        if not isinstance(self.contamination, Real) or not 0 < self.contamination <= 0.5:
            raise ValueError(f"contamination {self.contamination}: a number above 0 and at most 0.5")
        if self.value_range is not None:
            ends = np.asarray(self.value_range)
            if ends.shape != (2,) or ends.dtype.kind not in "iuf" or not -math.inf < ends[0] < ends[1] < math.inf:
                raise ValueError(f"value_range {self.value_range}: two finite numbers, black below white")
        if self.image_shape is not None:
            sides = np.asarray(self.image_shape)
            if sides.ndim != 1 or len(sides) not in (2, 3) or sides.dtype.kind not in "iu":
                raise ValueError(f"image_shape {self.image_shape}: (C, H, W) or (H, W)")
            if len(sides) == 3 and sides[0] not in (1, 3):
                raise ValueError(f"image_shape {self.image_shape}: (C, H, W) with 1 or 3 channels")
        if odd := {"seed", "precision", "device", "jobs", "channels"} & set(self.options or {}):
            raise ValueError(f"options {min(odd)}: give random_state, precision, device, jobs or image_shape instead")

    def score_samples(self, X: np.ndarray) -> np.ndarray:
        """Return how normal each image is, (n,): minus the detector's ``pred_score``."""
        check_is_fitted(self)
        return self._scores(validate_data(self, X, dtype=np.float64, reset=False))

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        """Return `score_samples` minus `offset_`, (n,): negative for images that are called abnormal."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return -1 for images that are called abnormal, 1 for the others, (n,)."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def _scores(self, X: np.ndarray) -> np.ndarray:
        """Score in batches of one shape, so that an image's score does not depend on what else is scored."""
        padded = np.concatenate([X, np.repeat(X[:1], -len(X) % BATCH, axis=0)])
        found = [p.scores["pred_score"] for p in self.detector_.predict(self._images(padded), BATCH)]
        return -np.concatenate(found)[: len(X)]

    def _shape(self) -> tuple[int, int, int]:
        """Return (C, H, W) of the images that rows stand for."""
        if self.image_shape is None:
            side = math.isqrt(self.n_features_in_ - 1) + 1
            return 1, side, side
        shape = (1, *self.image_shape)[-3:]
        if math.prod(shape) != self.n_features_in_:
            raise ValueError(f"image_shape {self.image_shape} does not fit {self.n_features_in_} features")
        return shape[0], shape[1], shape[2]

    def _images(self, X: np.ndarray) -> ImageSet:
        black, white = self.value_range_
        unit = np.clip((X - black) / (white - black), 0, 1)
        shape, size = self._shape(), self.detector_.options.size
        grey = np.full((len(X), math.prod(shape) - X.shape[1]), 0.5)
        small = torch.from_numpy(np.concatenate([unit, grey], axis=1).reshape(-1, *shape))
        large = F.interpolate(small, (size, size), mode="bilinear", antialias=True)
        pixels = np.round(large.numpy() * np.iinfo(np.uint16).max).astype(np.uint16)
        return ImageSet(pixels, tuple(map(str, range(len(X)))), ("",) * len(X))


def _widened(X: np.ndarray) -> tuple[float, float]:
    """Return the range of which that of `X` is the middle half."""
    low, high = float(X.min()), float(X.max())
    margin = (high - low) / 2 or 1.0
    return low - margin, high + margin
