"""Populations of which the truth is known."""

from functools import cache

import numpy as np
from scipy.stats import norm

from medad.evaluation.curves import average_precision_of_counts, threshold_counts

MANY = 300_000
# Standard deviation of abnormal scores, that of normal ones being 1; in the mixture some are far away.
SHAPES = {"alike": 1.0, "abnormal wider": 3.0, "abnormal narrower": 1 / 3, "mixture": 1.0}
PER_PATIENT = 4
OWN = 0.7  # share of a score's variance that the images of a patient have in common


def draw(rng: np.random.Generator, shape: str, auroc: float, abnormal: int, normal: int) -> np.ndarray:
    """Return (normal + abnormal,) scores, the normal ones first, of classes with this AUROC."""
    noise, spread = rng.normal(size=normal + abnormal), SHAPES[shape]
    if shape == "mixture":
        noise[normal:] += 100 * (rng.random(abnormal) < 2 * auroc - 1)
        return noise
    noise[normal:] = norm.ppf(auroc) * np.sqrt(1 + spread**2) + spread * noise[normal:]
    return noise


def labels_of(abnormal: int, normal: int) -> np.ndarray:
    """Return the labels of `draw`."""
    return np.repeat([0, 1], [normal, abnormal])


@cache
def true_ap(shape: str, auroc: float, share: float) -> float:
    """Return the average precision of the whole population, of which a share is abnormal."""
    scores = draw(np.random.default_rng(0), shape, auroc, MANY, MANY)
    weights = np.where(labels_of(MANY, MANY) == 1, share, 1 - share)
    return float(average_precision_of_counts(*threshold_counts(labels_of(MANY, MANY) == 1, scores, weights)))


def draw_patients(rng: np.random.Generator, auroc: float, patients: int) -> tuple[np.ndarray, list[str]]:
    """Return scores as `draw` and whose they are: in each class so many patients of `PER_PATIENT` images each."""
    names = np.repeat(np.arange(2 * patients), PER_PATIENT)
    noise = np.sqrt(OWN) * rng.normal(size=2 * patients)[names] + np.sqrt(1 - OWN) * rng.normal(size=len(names))
    noise[len(names) // 2 :] += norm.ppf(auroc) * np.sqrt(2)
    return noise, [str(name) for name in names]


def draw_methods(
    rng: np.random.Generator, methods: int, trainings: int, sd: float, images: int
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return labels (2 images,) and, by method, scores (trainings, 2 images).

    All methods expect the same AUROC, 0.85; each training misses it by a normal deviation `sd`. Half of the variance of
    a score is common to all methods, 0.3 to the trainings of a method.
    """
    labels, common = labels_of(images, images), np.sqrt(0.5) * rng.normal(size=2 * images)
    found = []
    for _ in range(methods):
        aurocs = np.clip(0.85 + sd * rng.normal(size=(trainings, 1)), 0.5, 0.999)
        own = np.sqrt(0.3) * rng.normal(size=2 * images) + np.sqrt(0.2) * rng.normal(size=(trainings, 2 * images))
        found.append(common + own + np.sqrt(2) * norm.ppf(aurocs) * labels)
    return labels, found
