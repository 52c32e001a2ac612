"""The page on coverage: ``python -m medad.experiments.studies.coverage > docs/results/coverage.md`` (ten minutes)."""

import platform
from collections.abc import Iterator, Sequence
from itertools import product
from typing import TypeVar

import numpy as np
import torch

from medad.experiments.command import run_command, study_parser
from medad.experiments.printed import printed_by
from medad.experiments.studies.coverage import comparisons, intervals, operating_points, pixels
from medad.experiments.studies.coverage.comparisons import family_errors
from medad.experiments.studies.coverage.intervals import (
    DRAWS,
    NAMES,
    SIZES,
    by_patients,
    by_size,
    by_trainings,
    of_chi_squared,
)
from medad.experiments.studies.coverage.operating_points import by_operating_point
from medad.experiments.studies.coverage.pixels import OF_PIXELS, of_pixels
from medad.experiments.studies.coverage.populations import PER_PATIENT, SHAPES
from medad.progress import Advance, progress
from medad.reports.markdown import markdown_table
from medad.workflows.options import at_least
from medad.workflows.provenance import versions

NAMED = ", ".join(name for name in SHAPES if name != "mixture")
WHAT = f"""\
Samples are drawn from populations of which the truth is known. Of 95 % intervals about 95 % should hold it. The \
scores of both classes are normal ({NAMED}), or abnormal images are a mixture of some that are found at once and \
others that look normal; true AUROCs are 60, 80, 90 and 97 %. Each cell: the mean over these 16 populations, and the \
lowest of them. *Percentiles*: the usual interval of a bootstrap ({DRAWS} draws)."""
FIRST = """\
One or three items of a class do not tell how widely it spreads: there our intervals come near their word on average, \
not in every population. From five on they are rather too wide than too narrow; AP is at its worst where a few false \
positives at the top decide."""
PATIENTS = f"""\
Each patient has {PER_PATIENT} images of much the same score. Intervals that take them for independent promise too \
much; ours count a patient once and measure the spread between patients."""
POINTS = """\
The same populations. A share of one class sets the threshold, so it differs from sample to sample. Clopper's and \
Pearson's interval, which takes it for known, promises too much; ours hold both chances. With fewer than 72 items of \
the class that sets the threshold they often reach 100 % false alarms, or 0 % sensitivity: so few do not tell."""
CHI = """\
The distance of two histograms of 100 bins is the larger, the fewer images there are, whatever the populations: \
compare it between test sets of one size only. Its interval holds its mean *at that size*."""
PIXELS = """\
Small maps with one square region; an image's pixels have a part of their score in common. Images are resampled, not \
pixels."""
TRAININGS = """\
A method's trainings differ by chance; the interval is to hold the mean AUROC of all trainings there might be. 100 + \
100 images."""
COMPARISONS = """\
All methods are equal: how often is any called worse than the best of them at 5 %? Half of a score's variance is \
common to all methods. *Common practice*: DeLong's tests of the mean scores against the best, Holm-corrected. It \
picks the best on the images on which it compares, and forgets the chance in training. 100 + 100 images."""


CELLS = (
    *(SIZES, intervals.PATIENTS, operating_points.SIZES, intervals.CHI_SIZES, pixels.IMAGES),
    *(list(product(intervals.TRAININGS, intervals.SPREADS)), list(product(comparisons.CASES, comparisons.METHODS))),
)
Cell = TypeVar("Cell")


def page(repeats: int, seed: int) -> Iterator[str]:
    """Yield the parts of the page, each after its simulation."""
    machine = versions(torch.device("cpu"))
    yield "# Do intervals and tests keep their word?"
    command = f"python -m medad.experiments.studies.coverage --repeats {repeats} --seed {seed}"
    yield (
        f"{printed_by(command)}. Machine: {machine['cpu']}, numpy {machine['numpy']}, "
        f"Python {platform.python_version()}. {repeats} samples a cell and population. How they are computed: "
        "[statistics](../statistics.md)."
    )
    with progress(sum(map(len, CELLS)), "simulations") as advance:
        for title, text, table, *more in _sections(repeats, seed, advance):
            yield f"## {title}\n\n{text}"
            yield markdown_table(table)
            yield from more


def _sections(repeats: int, seed: int, advance: Advance) -> Iterator[tuple]:
    """Yield heading, words and table of each section, and what is said below the table."""

    def each(found: Iterator[Cell]) -> Iterator[Cell]:
        for cell in found:
            advance(1)
            yield cell

    rows = [[f"{a} + {n}", *map(_mean_and_lowest, held.values())] for (a, n), held in each(by_size(repeats, seed))]
    yield "Size", WHAT, [["abnormal + normal", *NAMES], *rows], FIRST
    rows = [[str(n), _percent(known), _percent(unknown)] for n, known, unknown in each(by_patients(repeats, seed))]
    yield "Patients", PATIENTS, [["patients a class", "AUROC", "AUROC, patients unknown"], *rows]
    points = each(by_operating_point(repeats, seed))
    rows = [[f"{a} + {n}", *map(_mean_and_lowest, held.values())] for (a, n), held in points]
    yield "Operating points", POINTS, [["abnormal + normal", *operating_points.NAMES], *rows]
    rows = [[str(n), f"{mean:.1f}", _percent(held)] for n, mean, held in each(of_chi_squared(repeats, seed))]
    yield "Chi-squared distance", CHI, [["images a class", "mean distance", "coverage"], *rows]
    rows = [[str(n), *map(_percent, held.values())] for n, held in each(of_pixels(repeats, seed))]
    yield "Pixels", PIXELS, [["images a class", *OF_PIXELS], *rows]
    rows = [[str(n), f"{100 * sd:.0f}", _percent(held)] for n, sd, held in each(by_trainings(repeats, seed))]
    yield "Trainings", TRAININGS, [["trainings", "sd, points", "AUROC"], *rows]
    rows = [
        [str(trainings), str(methods), f"{100 * sd:.0f}", _percent(ours), _percent(common)]
        for trainings, methods, sd, ours, common in each(family_errors(repeats, seed))
    ]
    head = ["trainings", "methods", "sd, points", "any called worse", "by common practice"]
    yield "Equal methods", COMPARISONS, [head, *rows]


def _percent(share: float | np.floating) -> str:
    return f"{100 * share:.1f}"


def _mean_and_lowest(shares: Sequence[float]) -> str:
    return f"{_percent(np.mean(shares))} (lowest {_percent(min(shares))})"


def main() -> None:
    """Print the page."""
    parser = study_parser("coverage", __doc__)
    parser.add_argument("--repeats", type=int, default=200, help="samples of each population")
    parser.add_argument("--seed", type=int, default=0)
    a = parser.parse_args()
    at_least("repeats", a.repeats, 2)
    at_least("seed", a.seed, 0)
    print("\n\n".join(page(a.repeats, a.seed)))


if __name__ == "__main__":
    run_command(main)
