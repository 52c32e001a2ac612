"""Which method the demo should train, chosen without any label.

``python -m medad.experiments.studies.demo > docs/results/demo.md`` compares the candidates on other phantoms than the
demo's: by how well the score tells unlabeled images from normal ones that were held out.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from medad.data.imageset import ImageSet
from medad.data.phantom.benchmark import phantom_benchmark
from medad.detectors.contract.detector import Detector
from medad.detectors.registry import make_detector
from medad.evaluation.intervals import auroc_interval
from medad.evaluation.metrics import auroc
from medad.experiments.command import run_command, study_parser
from medad.experiments.printed import printed_by
from medad.reports.markdown import markdown_table
from medad.workflows.provenance import versions

SEED = 1  # the demo's phantoms have 0
HELD_OUT = 200
SCORES = ("a_rec", "a_rec_filtered", "a_rec_ensemble", "a_intra", "a_inter")


@dataclass(frozen=True)
class Candidate:
    """A method in preset quick, its further options, and how many normal images it learns from."""

    method: str
    normal: int
    options: dict[str, Any] = field(default_factory=dict)


CANDIDATES = (
    Candidate("dae", 400),
    Candidate("ddad", 400, {"refine": False}),
    Candidate("aeu", 400),
    Candidate("aeu", 1000, {"epochs": 40}),
)


def page(candidates: tuple[Candidate, ...] = CANDIDATES, held_out: int = HELD_OUT) -> Iterator[str]:
    """Yield the paragraphs of the page."""
    machine = versions(torch.device("cpu"))
    yield "# Which method should the demo train?"
    yield (
        f"{printed_by('python -m medad.experiments.studies.demo')}: phantoms of level plain, seed {SEED}. AUC_u: in "
        f"how many per cent of pairs an unlabeled image has a higher score than one of {held_out} held-out normal "
        "images, with the 95 % interval over images. No label is used; two in five unlabeled images are normal, so "
        "that 80 is about the most. One training each, seed 0. Seconds: of training, wall clock, on "
        f"{machine['cpu']}, torch {machine['torch']}. Which of them the demo trains, and what came "
        "out: [the phantom benchmark](../phantom.md)."
    )
    rows = [["method, preset quick", "normal images", "score", "AUC_u", "seconds"]]
    yield markdown_table([*rows, *(row for one in candidates for row in _rows(one, held_out))])


def _rows(candidate: Candidate, held_out: int) -> Iterator[list[str]]:
    data = phantom_benchmark(normal=candidate.normal + held_out, level="plain", seed=SEED)
    learned, kept = np.split(np.arange(len(data.normal)), [candidate.normal])
    unlabeled = data.unlabeled.unlabelled()
    detector = make_detector(candidate.method, "quick", **candidate.options)
    began = time.monotonic()
    detector.fit(data.normal.subset(learned), unlabeled)
    seconds = f"{time.monotonic() - began:.0f}"
    normal, unknown = _scores(detector, data.normal.subset(kept)), _scores(detector, unlabeled)
    name = ", ".join([candidate.method, *(f"{key} {value}" for key, value in candidate.options.items())])
    for score in SCORES:
        if score in normal:
            truth = np.repeat([0, 1], [len(normal[score]), len(unknown[score])])
            scores = np.concatenate([normal[score], unknown[score]])
            low, high = auroc_interval(truth, scores)
            figure = f"{100 * auroc(truth, scores):.1f} [{100 * low:.1f}, {100 * high:.1f}]"
            yield [name, str(candidate.normal), score, figure, seconds]


def _scores(detector: Detector, images: ImageSet) -> dict[str, np.ndarray]:
    batches = [prediction.scores for prediction in detector.predict(images)]
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}


def main() -> None:
    """Print the page."""
    study_parser("demo", __doc__).parse_args()
    print("\n\n".join(page()))


if __name__ == "__main__":
    run_command(main)
