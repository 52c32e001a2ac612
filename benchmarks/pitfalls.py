"""Residuals of disks behind blurs: medad's grid against scikit-learn's average precision cell by cell.

``python -m benchmarks.pitfalls`` prints a table.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from statistics import median

import numpy as np
from scipy.ndimage import gaussian_filter
from sklearn.metrics import average_precision_score

from benchmarks.machine import describe
from medad.experiments.reproduce.pitfalls.experiments import SCALES
from medad.experiments.reproduce.pitfalls.landscape import behind_blur
from medad.reports.markdown import markdown_table
from medad.synthesis.disks import disk_masks

SIGMAS = (0.5, 2.5, 5.0)
CORES = 2
SIZE = SCALES["paper"].size
WHAT = f"""\
One image of {SIZE} x {SIZE} pixels and one blur, milliseconds of one thread's own time, so that other processes do \
not count. The plain loop blurs, puts the disk in and calls scikit-learn's average_precision_score for every \
intensity; it is timed on a few, medad on all of them, in turns. The last columns are the time of the whole grid of \
scale paper on {CORES} cores, computed from these."""


def head(seed: int) -> np.ndarray:
    """Return a smooth foreground of middle intensities on a background of 0, (S, S)."""
    field = gaussian_filter(np.random.default_rng(seed).normal(size=(SIZE, SIZE)), 2)
    rows, columns = np.mgrid[:SIZE, :SIZE] / SIZE - 0.5
    inside = (rows / 0.42) ** 2 + (columns / 0.36) ** 2 < 1
    return np.where(inside, (0.4 + 0.12 * field / field.std()).clip(0.05, 0.95), 0)


def plain(image: np.ndarray, mask: np.ndarray, intensities: np.ndarray, sigma: float) -> list[float]:
    """Return the average precisions of some cells, one after the other."""
    aps = []
    for value in intensities:
        residual = np.abs(gaussian_filter(image, sigma) - np.where(mask, value, image))
        aps.append(average_precision_score(mask.ravel(), residual.ravel()))
    return aps


def own_time(work: Callable[[], object]) -> float:
    """Return the milliseconds that this thread computed."""
    begin = time.thread_time()
    work()
    return 1000 * (time.thread_time() - begin)


def measure(sigma: float, few: int, rounds: int) -> tuple[float, float, list[float]]:
    """Return milliseconds per image and blur, of medad and of the plain loop, and the ratio of each round."""
    scale, image = SCALES["paper"], head(0)
    (mask,) = disk_masks(image[None])
    ours, theirs = [], []
    for _ in range(1 + rounds):  # the first warms up
        ours.append(own_time(partial(_cells, image, mask, scale.intensities, sigma)))
        some = scale.intensities[:: scale.points // few]
        theirs.append(own_time(partial(plain, image, mask, some, sigma)) * scale.points / len(some))
    ratios = [b / a for a, b in zip(ours[1:], theirs[1:], strict=True)]
    return median(ours[1:]), median(theirs[1:]), ratios


def _cells(image: np.ndarray, mask: np.ndarray, intensities: np.ndarray, sigma: float) -> np.ndarray:
    """Return the same as `plain`, of one thread: this one."""
    return behind_blur(image, mask, intensities[:, None], sigma)[0]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pitfalls", description=__doc__)
    parser.add_argument("--few", type=int, default=4, help="intensities of the plain loop")
    parser.add_argument("--rounds", type=int, default=3)
    a = parser.parse_args()
    scale, m = SCALES["paper"], describe()
    rows = [["sigma", "medad, ms", "plain loop, ms", "ratio (range over rounds)", "medad, minutes", "plain, hours"]]
    whole = scale.images * scale.points / CORES / 1000  # seconds of the grid for a millisecond of a cell
    for sigma in SIGMAS:
        ours, theirs, ratios = measure(sigma, a.few, a.rounds)
        ratio = f"{median(ratios):.0f} ({min(ratios):.0f}–{max(ratios):.0f})"
        times = [f"{ours:.1f}", f"{theirs:.0f}", ratio, f"{ours * whole / 60:.1f}", f"{theirs * whole / 3600:.1f}"]
        rows.append([f"{sigma:g}", *times])
    print(f"{WHAT}\n\n{m['cpu']}; medad {m['medad']}; {m['date']}\n\n{markdown_table(rows)}")


if __name__ == "__main__":
    main()
