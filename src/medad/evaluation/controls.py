"""Trivial controls: scores that see no pathology, the line against which every other figure is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.neighbors import NearestNeighbors

from medad.data.imageset import ImageSet
from medad.evaluation.image_statistics import STATISTICS, image_statistics, statistic_width
from medad.evaluation.metric_list import listed
from medad.evaluation.pools import normal_against_unlabeled
from medad.evaluation.scores import ScoreTable, renumbered
from medad.evaluation.summary import check_finite, row_figures

NU = "_nu"  # normal against unlabeled
CONTROLS = (*STATISTICS, *(name + NU for name in STATISTICS))
MOST_IMAGES = 2000  # of each pool, evenly spaced
_BLOCK = 1024


def is_control(name: str) -> bool:
    """Return whether the score `name` is a trivial control."""
    return name in CONTROLS


@dataclass(frozen=True)
class Controls:
    """Fitted controls.

    ``NAME`` is one-class: how far the statistic NAME lies from the normal images. For a single number that is the
    distance to their median in units of their median absolute deviation, two-sided, since nobody knows on which side
    pathology would lie; for a small picture the Euclidean distance to the nearest normal one. ``NAME_nu`` is the
    linear score of `normal_against_unlabeled`.

    Attributes
    ----------
    normals : dict of str to ndarray
        (m, d) statistics of normal images, pictures in ``float16``.
    weights : dict of str to ndarray
        (d + 1,) each; empty without unlabeled images.
    """

    normals: dict[str, np.ndarray]
    weights: dict[str, np.ndarray]

    @classmethod
    def fit(cls, normal: ImageSet, unlabeled: ImageSet | None = None, seed: int = 0) -> "Controls":
        """Fit on at most `MOST_IMAGES` normal and as many unlabeled images, whose labels are not looked at.

        Parameters
        ----------
        normal : ImageSet
            At least one image.
        unlabeled : ImageSet, optional
            Without any, or with none, only the one-class controls are fitted.
        seed : int
            Of the folds of the regressions.
        """
        rows = _evenly(len(normal))
        known = image_statistics(normal, rows)
        normals = {name: v.astype(np.float16 if v.shape[1] > 1 else np.float32) for name, v in known.items()}
        if not unlabeled:
            return cls(normals, {})
        others = _evenly(len(unlabeled))
        pool = image_statistics(unlabeled, others)
        patients = _patients(normal, rows) + _patients(unlabeled, others)
        together = patients if any(patients) else None
        shared = known.keys() & pool.keys()
        return cls(normals, {n: normal_against_unlabeled(known[n], pool[n], seed, together) for n in sorted(shared)})

    def scores(self, images: ImageSet) -> dict[str, np.ndarray]:
        """Return all controls that can be computed for `images`, (n,) ``float64`` each, higher is more abnormal."""
        blocks = [
            self._of_block(image_statistics(images, np.arange(start, min(start + _BLOCK, len(images)))))
            for start in range(0, len(images), _BLOCK)
        ]
        return {name: np.concatenate([b[name] for b in blocks]) for name in CONTROLS if all(name in b for b in blocks)}

    def _of_block(self, statistics: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        found = {}
        for name, values in statistics.items():
            if name in self.normals:
                found[name] = _distance(values, self.normals[name])
            if name in self.weights:
                # not a matrix product, whose rounding may depend on the row: equal images get equal scores
                found[name + NU] = (values * self.weights[name][:-1]).sum(axis=1) + self.weights[name][-1]
        return found

    def state(self) -> dict[str, np.ndarray]:
        """Return all that was fitted, by name; `from_state` takes it."""
        parts = {"normals": self.normals, "weights": self.weights}
        return {f"{part}/{name}": values for part, arrays in parts.items() for name, values in arrays.items()}

    @classmethod
    def from_state(cls, state: Mapping[str, np.ndarray], size: int) -> "Controls":
        """Return the controls of images of side `size` that have this `state`.

        Raises
        ------
        ValueError
            If it is not the state of such controls.
        """
        parts: dict[str, dict[str, np.ndarray]] = {"normals": {}, "weights": {}}
        for key, values in state.items():
            part, _, name = key.partition("/")
            if part not in parts or name not in STATISTICS or not np.isfinite(values).all():
                raise ValueError(f"{key} is no part of controls, or not finite")
            width, rows = statistic_width(name, size), 0 if values.ndim == 0 else len(values)
            fits = 0 < rows <= MOST_IMAGES and values.shape[1:] == (width,)
            if not (fits if part == "normals" else values.shape == (width + 1,)):
                raise ValueError(f"{key} has shape {values.shape}, which does not fit images of side {size}")
            parts[part][name] = values
        if "thumbnail" not in parts["normals"]:
            raise ValueError("normals/thumbnail is missing")
        return cls(**parts)

    def table(self, images: ImageSet) -> ScoreTable:
        """Return the controls of `images` with what is known about each.

        ``pred_score`` is ``thumbnail_nu``, without unlabeled images ``thumbnail``: a rule fixed in advance.
        """
        columns = self.scores(images)
        primary = columns.get("thumbnail" + NU, columns["thumbnail"])
        return ScoreTable(
            image_path=images.ids,
            gt_label=images.labels,
            columns={"pred_score": primary} | columns,
            kinds=images.kinds,
            patients=None if images.patients is None else renumbered(images.patients),
        )


def control_figures(table: ScoreTable) -> dict[str, dict[str, Any]]:
    """Return the headline metrics of every control in `table`, which needs labels, each KEY beside its KEY_ci."""
    check_finite(table)
    figures = row_figures(listed("image", headline=True), table)
    return {name: figures[name] for name in table.columns if is_control(name)}


def _evenly(count: int) -> np.ndarray:
    """Choose at most `MOST_IMAGES` of `count` positions, evenly spaced."""
    return np.unique(np.linspace(0, count - 1, min(count, MOST_IMAGES)).astype(np.int64))


def _patients(images: ImageSet, rows: np.ndarray) -> list[str]:
    return ["" if images.patients is None else images.patients[i] for i in rows]


def _distance(values: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Return how far `values` (n, d) lie from `normals` (m, d)."""
    values, normals = values.astype(np.float64), normals.astype(np.float64)
    if normals.shape[1] == 1:
        centre = np.median(normals)
        return np.abs(values[:, 0] - centre) / (np.median(np.abs(normals - centre)) or 1)
    nearest = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(normals).kneighbors(values, return_distance=False)
    # its own distances are rounded: an image that is among the normals would lie somewhere near zero
    return np.linalg.norm(values - normals[nearest[:, 0]], axis=1)
