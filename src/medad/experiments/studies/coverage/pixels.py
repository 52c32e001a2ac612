"""How often 95 % intervals of pixel metrics hold the truth."""

from collections.abc import Iterator

import numpy as np

from medad.evaluation.intervals import spread_interval
from medad.evaluation.metric_list import listed
from medad.evaluation.pixel_bootstrap import pixel_draws

SIDE, REGION, MANY = 12, 4, 3000
IMAGES = (5, 10, 30, 100)  # of each class
OF_PIXELS = {metric.key: metric.value for metric in listed("pixel")}
COUNTED = {metric.key: metric.of_counts for metric in listed("pixel") if metric.of_counts}


def _draw(rng: np.random.Generator, images: int) -> tuple[np.ndarray, np.ndarray]:
    """Return masks and maps (2 images, SIDE, SIDE) of as many normal and abnormal images."""
    masks = np.zeros((2 * images, SIDE, SIDE), dtype=bool)
    for mask, (y, x) in zip(masks[images:], rng.integers(SIDE - REGION + 1, size=(images, 2)), strict=True):
        mask[y : y + REGION, x : x + REGION] = True
    found = 1.5 + rng.normal(size=(2 * images, 1, 1))  # how plain an image's region is
    return masks, rng.normal(size=masks.shape) + 0.5 * rng.normal(size=(2 * images, 1, 1)) + found * masks


def of_pixels(repeats: int, seed: int = 0) -> Iterator[tuple[int, dict[str, float]]]:
    """Yield images a class, and the coverage of each pixel metric."""
    many = _draw(np.random.default_rng(seed + 1), MANY)
    truth = {name: metric(*many) for name, metric in OF_PIXELS.items()}
    for images in IMAGES:
        rng, held = np.random.default_rng(seed), []
        for _ in range(repeats):
            masks, maps = _draw(rng, images)
            draws = pixel_draws(masks, maps, COUNTED, draws=200, seed=int(rng.integers(2**31)))
            ends = [
                spread_interval(metric(masks, maps), float(draws[name].std(ddof=1)), images)
                for name, metric in OF_PIXELS.items()
            ]
            held.append([low <= t <= high for (low, high), t in zip(ends, truth.values(), strict=True)])
        yield images, dict(zip(OF_PIXELS, np.mean(held, axis=0).tolist(), strict=True))
