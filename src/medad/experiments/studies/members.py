"""How much DDAD's scores depend on which members it has: ensembles drawn from the members of several runs.

``python -m medad.experiments.studies.members RUN RUN ... DATA`` prints a section in Markdown.
"""

import itertools
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from torch import Tensor

from medad.detectors.ddad.discrepancy import a_inter, a_intra
from medad.evaluation.metrics import auroc
from medad.experiments.command import run_command, study_parser
from medad.experiments.deduplicated import split_told
from medad.experiments.printed import printed_by
from medad.experiments.stored import method_folder
from medad.experiments.studies.networks import labelled_test_images, load, scores
from medad.networks.autoencoder import Reconstruction
from medad.reports.markdown import markdown_table
from medad.training.run_folder import read_run

DRAWS = 30  # ensembles of each size, or as many as there are
NAMES = ("a_intra", "a_inter")
WHAT = """\
Members of both modules, trained by runs that differ in their seed, are pooled; ensembles of K of them are drawn \
without replacement, the same places in both modules, and scored. AUROC in %: mean over ensembles ± their standard \
deviation, and the range. The larger K, the more members the ensembles share, so the spread of the large ones is \
smaller than that of new trainings would be."""


def ensembles(members: int, size: int, draws: int = DRAWS) -> list[tuple[int, ...]]:
    """Return `draws` sets of `size` of the places 0 … `members` - 1, no two alike; all of them if there are fewer."""
    if math.comb(members, size) <= draws:
        return list(itertools.combinations(range(members), size))
    rng, found = np.random.default_rng(0), set[tuple[int, ...]]()
    while len(found) < draws:
        found.add(tuple(sorted(int(i) for i in rng.choice(members, size, replace=False))))
    return sorted(found)


def pick(module: Reconstruction, places: tuple[int, ...]) -> Reconstruction:
    """Return the members of `module` at these places."""
    rows = list(places)
    return Reconstruction(module.mean[rows], None if module.log_variance is None else module.log_variance[rows])


def maps_of_ensembles(ndm: Reconstruction, udm: Reconstruction) -> dict[str, Tensor]:
    """Return A_intra and A_inter of ensembles of all odd sizes from 3, named ``score/K/number``; maps (n, S, S)."""
    found: dict[str, Tensor] = {}
    for size in range(3, len(ndm.mean) + 1, 2):
        for number, places in enumerate(ensembles(len(ndm.mean), size)):
            some, others = pick(ndm, places), pick(udm, places)
            found[f"a_intra/{size}/{number}"] = a_intra(some)
            found[f"a_inter/{size}/{number}"] = a_inter(some, others)
    return found


def table(runs: list[Path], data: Path) -> str:
    """Return a section in Markdown: the AUROC of A_intra and A_inter by size of the ensemble."""
    detectors = [load(run) for run in runs]
    images, labels = labelled_test_images(data, detectors[0].options)
    found = scores(detectors, images, maps_of_ensembles)
    name, seeds = method_folder(read_run(runs[0])), ", ".join(str(detector.seed) for detector in detectors)
    paragraphs = (
        f"## Members of {name}, seeds {seeds}, in other ensembles",
        f"{printed_by('python -m medad.experiments.studies.members RUN ... DATA')}, {split_told(data)}.",
        WHAT,
    )
    return "\n\n".join([*paragraphs, markdown_table(list(_rows(found, labels)))])


def _rows(found: dict[str, np.ndarray], labels: np.ndarray) -> Iterator[list[str]]:
    yield ["K", "ensembles", *NAMES]
    by_size: dict[int, dict[str, list[float]]] = {}
    for key, values in found.items():
        score, size, _ = key.split("/")
        by_size.setdefault(int(size), {}).setdefault(score, []).append(100 * auroc(labels, values))
    for k, figures in by_size.items():
        yield [str(k), str(len(figures[NAMES[0]])), *(_spread(figures[name]) for name in NAMES)]


def _spread(values: list[float]) -> str:
    if len(values) == 1:
        return f"{values[0]:.1f}"
    return f"{np.mean(values):.1f} ± {np.std(values, ddof=1):.1f} [{min(values):.1f}, {max(values):.1f}]"


def main() -> None:
    """Print the table of several runs."""
    parser = study_parser("members", __doc__)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("data", type=Path)
    arguments = parser.parse_args()
    print(table(arguments.runs, arguments.data))


if __name__ == "__main__":
    run_command(main)
