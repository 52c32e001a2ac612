"""The page on coverage: ``python -m medad.experiments.coverage > docs/results/coverage.md`` (about half an hour)."""

import argparse
import datetime
import platform
from collections.abc import Iterator

import numpy as np
import torch

from medad.experiments.coverage.comparisons import family_errors
from medad.experiments.coverage.intervals import (
    DRAWS,
    NAMES,
    SIZES,
    by_patients,
    by_size,
    by_trainings,
    of_chi_squared,
)
from medad.experiments.coverage.pixels import OF_PIXELS, of_pixels
from medad.experiments.coverage.populations import PER_PATIENT, SHAPES
from medad.progress import progress
from medad.reports.markdown import markdown_table
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


def page(repeats: int, seed: int) -> Iterator[str]:
    """Yield the parts of the page, each after its simulation."""
    machine = versions(torch.device("cpu"))
    yield "# Do intervals and tests keep their word?"
    yield (
        f"Printed on {datetime.date.today()} by `python -m medad.experiments.coverage --repeats {repeats} --seed "
        f"{seed}`. Machine: {machine['cpu']}, numpy {machine['numpy']}, Python {platform.python_version()}. "
        f"{repeats} samples a cell and population. How they are computed: [statistics](../statistics.md)."
    )
    yield f"## Size\n\n{WHAT}"
    yield _sizes(repeats, seed)
    yield FIRST
    yield f"## Patients\n\n{PATIENTS}"
    rows = [[str(n), _percent(known), _percent(unknown)] for n, known, unknown in by_patients(repeats, seed)]
    yield markdown_table([["patients a class", "AUROC", "AUROC, patients unknown"], *rows])
    yield f"## Chi-squared distance\n\n{CHI}"
    rows = [[str(n), f"{mean:.1f}", _percent(held)] for n, mean, held in of_chi_squared(repeats, seed)]
    yield markdown_table([["images a class", "mean distance", "coverage"], *rows])
    yield f"## Pixels\n\n{PIXELS}"
    rows = [[str(size), *map(_percent, held.values())] for size, held in of_pixels(repeats, seed)]
    yield markdown_table([["images a class", *OF_PIXELS], *rows])
    yield f"## Trainings\n\n{TRAININGS}"
    rows = [[str(n), f"{100 * sd:.0f}", _percent(held)] for n, sd, held in by_trainings(repeats, seed)]
    yield markdown_table([["trainings", "sd, points", "AUROC"], *rows])
    yield f"## Equal methods\n\n{COMPARISONS}"
    yield _families(repeats, seed)


def _sizes(repeats: int, seed: int) -> str:
    rows = [["abnormal + normal", *NAMES]]
    with progress(len(SIZES), "sizes") as advance:
        for (abnormal, normal), found in by_size(repeats, seed):
            cells = [f"{_percent(np.mean(found[name]))} (lowest {_percent(min(found[name]))})" for name in NAMES]
            rows.append([f"{abnormal} + {normal}", *cells])
            advance(1)
    return markdown_table(rows)


def _families(repeats: int, seed: int) -> str:
    rows = [["trainings", "methods", "sd, points", "any called worse", "by common practice"]]
    for trainings, methods, sd, ours, common in family_errors(repeats, seed):
        rows.append([str(trainings), str(methods), f"{100 * sd:.0f}", _percent(ours), _percent(common)])
    return markdown_table(rows)


def _percent(share: float | np.floating) -> str:
    return f"{100 * share:.1f}"


def main() -> None:
    """Print the page."""
    parser = argparse.ArgumentParser(prog="python -m medad.experiments.coverage", description=__doc__)
    parser.add_argument("--repeats", type=int, default=200, help="samples of each population")
    parser.add_argument("--seed", type=int, default=0)
    a = parser.parse_args()
    print("\n\n".join(page(a.repeats, a.seed)))


if __name__ == "__main__":
    main()
