"""How often 95 % intervals hold the truth."""

from collections.abc import Callable, Iterator, Sequence
from itertools import product

import numpy as np

from medad.evaluation.bootstrap import bootstrap_draws
from medad.evaluation.chi_squared import chi_squared_distance, chi_squared_draws
from medad.evaluation.comparison import Tables, compare
from medad.evaluation.curves import auroc_of_counts, average_precision_of_counts
from medad.evaluation.intervals import ap_interval, auroc_interval, spread_interval
from medad.evaluation.metrics import average_precision
from medad.evaluation.scores import ScoreTable
from medad.experiments.studies.coverage.populations import (
    PER_PATIENT,
    SHAPES,
    draw,
    draw_methods,
    draw_patients,
    labels_of,
    true_ap,
)

SIZES = ((1, 50), (3, 100), (5, 5), (5, 100), (100, 5), (10, 10), (10, 100), (30, 30), (100, 100), (600, 600))
TRUTHS = (0.6, 0.8, 0.9, 0.97)
PATIENTS = (5, 10, 30, 100)  # of each class
CHI_SIZES = (5, 10, 30, 100, 600)  # images of each class
TRAININGS, SPREADS = (2, 3, 5), (0.0, 0.02, 0.08)
DRAWS = 400  # of a bootstrap; its standard deviation is as good as that of 2,000
NAMES = ("AUROC", "AP", "AUROC, percentiles", "AP, percentiles")


Held = Callable[[np.random.Generator, str, float, int, int], list[bool]]


def covered(
    names: Sequence[str], sizes: Sequence[tuple[int, int]], truths: Sequence[float], held: Held, repeats: int, seed: int
) -> Iterator[tuple[tuple[int, int], dict[str, list[float]]]]:
    """Yield for each size (abnormal, normal) the coverage of every interval, over all shapes and truths.

    `held` draws a sample of a shape, a truth and a size, and returns whether the intervals of `names` hold the truth.
    """
    for abnormal, normal in sizes:
        rng, found = np.random.default_rng(seed), dict[str, list[float]]()
        for shape, truth in product(SHAPES, truths):
            hits = [held(rng, shape, truth, abnormal, normal) for _ in range(repeats)]
            for name, share in zip(names, np.mean(hits, axis=0), strict=True):
                found.setdefault(name, []).append(float(share))
        yield (abnormal, normal), found


def by_size(repeats: int, seed: int = 0) -> Iterator[tuple[tuple[int, int], dict[str, list[float]]]]:
    """Yield for each size (abnormal, normal) the coverage of every interval, over all shapes and truths."""
    return covered(NAMES, SIZES, TRUTHS, _held, repeats, seed)


def _held(rng: np.random.Generator, shape: str, truth: float, abnormal: int, normal: int) -> list[bool]:
    """Return whether the intervals of `NAMES` hold the truth of one sample: ours, and percentiles of a bootstrap."""
    labels, scores = labels_of(abnormal, normal), draw(rng, shape, truth, abnormal, normal)
    area = true_ap(shape, truth, abnormal / (abnormal + normal))
    metrics = [auroc_of_counts, average_precision_of_counts]
    draws = bootstrap_draws(labels, [scores], metrics, draws=DRAWS, seed=int(rng.integers(2**31)))[0]
    sd = float(draws[1].std(ddof=1))
    ours = [auroc_interval(labels, scores), ap_interval(average_precision(labels, scores), sd, labels, scores)]
    plain = np.percentile(draws, (2.5, 97.5), axis=1).T
    truths = (truth, area, truth, area)
    return [bool(low <= t <= high) for (low, high), t in zip([*ours, *plain], truths, strict=True)]


def by_patients(repeats: int, seed: int = 0) -> Iterator[tuple[int, float, float]]:
    """Yield numbers of patients a class, and the coverage of the AUROC with and without knowing them."""
    for patients in PATIENTS:
        rng, hits = np.random.default_rng(seed), []
        labels = labels_of(patients * PER_PATIENT, patients * PER_PATIENT)
        for _ in range(repeats):
            scores, names = draw_patients(rng, 0.85, patients)
            ends = auroc_interval(labels, scores, names), auroc_interval(labels, scores)
            hits.append([low <= 0.85 <= high for low, high in ends])
        known, unknown = np.mean(hits, axis=0)
        yield patients, float(known), float(unknown)


def of_chi_squared(repeats: int, seed: int = 0) -> Iterator[tuple[int, float, float]]:
    """Yield items a class, and mean and coverage of the chi-squared distance's mean at this size."""
    for size in CHI_SIZES:
        rng, labels, found = np.random.default_rng(seed), labels_of(size, size), []
        for _ in range(repeats):
            scores = draw(rng, "alike", 0.85, size, size)
            value, sd = chi_squared_distance(labels, scores), chi_squared_draws(labels, scores, draws=DRAWS).std(ddof=1)
            found.append((value / 100, *spread_interval(value / 100, float(sd) / 100, size)))
        values, low, high = np.array(found).T
        yield size, 100 * float(values.mean()), float(((low <= values.mean()) & (values.mean() <= high)).mean())


def by_trainings(repeats: int, seed: int = 0) -> Iterator[tuple[int, float, float]]:
    """Yield trainings, their sd, and the coverage of the mean AUROC over trainings of 100 + 100 images."""
    for trainings in TRAININGS:
        for sd in SPREADS:
            rng, held = np.random.default_rng(seed), []
            # Where trainings are cut at 0.999 they expect a little less than 0.85.
            truth = float(np.clip(0.85 + sd * np.random.default_rng(1).normal(size=10**6), 0.5, 0.999).mean())
            for _ in range(repeats):
                labels, (scores,) = draw_methods(rng, 1, trainings, sd, 100)
                figure = compare(tables(labels, [scores]))[0].auroc
                held.append(figure.low <= truth <= figure.high)
            yield trainings, sd, float(np.mean(held))


def tables(labels: np.ndarray, methods: list[np.ndarray]) -> Tables:
    """Return what `compare` takes of `draw_methods`."""
    names = tuple(f"{i}.png" for i in range(len(labels)))
    return {str(m): [ScoreTable(names, labels, {"pred_score": row}) for row in rows] for m, rows in enumerate(methods)}
