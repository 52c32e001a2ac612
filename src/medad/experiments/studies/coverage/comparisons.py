"""How often some of equal methods are called worse than the best of them."""

from collections.abc import Iterator, Sequence

import numpy as np

from medad.evaluation.comparison import LEVEL, against_best
from medad.evaluation.delong import delong_test
from medad.evaluation.metrics import auroc
from medad.evaluation.ranks import holm
from medad.experiments.studies.coverage.populations import draw_methods

METHODS, IMAGES = (2, 5, 20), 100  # compared, and images of each class
# Trainings of each method, and their standard deviation; of one there is none.
CASES = ((1, 0.0), *((trainings, sd) for trainings in (2, 3, 5) for sd in (0.0, 0.02, 0.08)))


def family_errors(repeats: int, seed: int = 0) -> Iterator[tuple[int, int, float, float, float]]:
    """Yield trainings, methods, the sd of trainings, and the share of samples in which any method is called worse.

    The last two: by our test, and by what is commonly done, DeLong's tests of the mean scores' AUROCs against the best,
    Holm-corrected over the others.
    """
    for trainings, sd in CASES:
        for methods in METHODS:
            rng = np.random.default_rng(seed)
            samples = (draw_methods(rng, methods, trainings, sd, IMAGES) for _ in range(repeats))
            wrong = [(_ours(*sample) <= LEVEL, _common(*sample) <= LEVEL) for sample in samples]
            ours, common = np.mean(wrong, axis=0)
            yield trainings, methods, sd, float(ours), float(common)


def _ours(labels: np.ndarray, methods: Sequence[np.ndarray]) -> float:
    return min(against_best(labels, methods)[1])


def _common(labels: np.ndarray, methods: Sequence[np.ndarray]) -> float:
    best = int(np.argmax([np.mean([auroc(labels, training) for training in rows]) for rows in methods]))
    others = [rows for i, rows in enumerate(methods) if i != best]
    return float(holm([delong_test(labels, methods[best], rows).p for rows in others]).min())
