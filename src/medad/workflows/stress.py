"""``medad stress``: synthetic anomalies in normal images, and which of them a run is blind to."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from medad.detectors.contract.detector import Detector
from medad.detectors.registry import load_detector
from medad.errors import UserError
from medad.evaluation.blindness import FEWEST, MARGIN
from medad.files import replacing
from medad.ownership import claimed
from medad.reports.stress import write_stress
from medad.reports.stress_beside import beside_section, beside_words
from medad.reports.stress_tables import level_words
from medad.reports.stress_words import Told, blind_words, lines, ranges
from medad.synthesis.stress_cells import Cell
from medad.training.run_folder import WEIGHTS_FILE
from medad.version import __version__
from medad.workflows.evaluate import to_pictures
from medad.workflows.notes import say
from medad.workflows.options import at_least
from medad.workflows.splits import data_name
from medad.workflows.stress_cells import Stressed
from medad.workflows.stress_figures import stress_figures
from medad.workflows.stress_images import unlearned

FIGURES, PAGE = "stress.json", "stress.html"
IMAGES = 40
SHOWN = {  # of each kind
    "intensity": (0.0, 0.5, 1.0),
    "contrast": (-0.2, 0.2),
    "soft contrast": (-0.2, 0.2),
    "texture": ("shuffle", "source", "sink", "blur"),
}


def stress(
    run: Path,
    data: Path,
    *,
    out: Path | None = None,
    split: Path | None = None,
    images: int = IMAGES,
    seed: int = 0,
    beside: Path | None = None,
    device: str = "auto",
    jobs: int | None = None,
) -> Path:
    """Put anomalies of controlled kind into normal images, let a run score them, and tell where it is blind.

    Parameters
    ----------
    run : Path
        Run folder.
    data : Path
        Folder of a data set, or its split file; its normal test images are taken and, where these are too few, its
        normal ones that the run has not learned from.
    out : Path, optional
        Where ``stress.json`` and ``stress.html`` go; by default ``RUN/stress-DATA``.
    split : Path, optional
        Split file to use instead of the folder's own.
    images : int
        Number of images, at least 20.
    seed : int
        Chooses the images, and the places of anomalies.
    beside : Path, optional
        The ``stress.json`` of another run, to be compared with.
    device, jobs
        See :class:`medad.detectors.contract.detector.Detector`.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    UserError
        If the run, the data, an option or the folder do not allow it, or too few images remain.
    """
    at_least("images", images, FEWEST)
    at_least("seed", seed, 0)
    other = None if beside is None else read_stress(beside)
    out = out or run / f"stress-{data_name(data)}"
    detector = load_detector(run, device=device, jobs=jobs)
    with claimed(out, "stress", (FIGURES, PAGE)):
        chosen, left_out = unlearned(detector, data, split, images, seed, jobs)
        stressed = Stressed.of(chosen, seed)
        known = [*left_out, *stressed.notes]
        for note in known:
            say(note)
        found = _facts(detector, run, data, stressed, seed) | stress_figures(detector, stressed)
        lost = list(_without_effect(stressed, found))
        for note in lost:
            say(note)
        found["notes"] = [*known, *lost]
        with replacing(out / FIGURES) as partial:
            partial.write_text(json.dumps(found, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        write_stress(out / PAGE, found, _examples(stressed), other)
    words = blind_words(found)
    brief: list[Told] = [(line.rstrip(":"), []) for line, _ in words["others"]]
    for line in lines([*words["deciding"], *brief, *(beside_words(found, other) if other else ())]):
        print(line)
    print(f"report: {out / PAGE}")
    return out / PAGE


def read_stress(path: Path) -> dict[str, Any]:
    """Return the figures of a stress test.

    Raises
    ------
    UserError
        If the file is none.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        blind_words(found), beside_section(found, found)  # all that is needed is there
        return found
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not readable as the {FIGURES} of a run; medad stress makes one") from error


def _facts(detector: Detector, run: Path, data: Path, stressed: Stressed, seed: int) -> dict[str, Any]:
    return {
        "version": __version__,
        "method": detector.name,
        "run": blake2b((run / WEIGHTS_FILE).read_bytes(), digest_size=8).hexdigest(),
        "run_seed": detector.seed,
        "data": data_name(data),
        "images": len(stressed.images),
        "size": detector.options.size,
        "seed": seed,
        "margin": MARGIN,
        "fingerprint": stressed.images.fingerprint,
    }


def _without_effect(stressed: Stressed, found: Mapping[str, Any]) -> Iterator[str]:
    """Say which cells were left out because nothing changed."""
    there = {(cell["kind"], cell["level"], cell["radius"]) for cell in found["cells"]}
    tried = [asdict(cell) for cell in stressed.cells]
    lost = [cell for cell in tried if tuple(cell.values()) not in there]
    if lost:
        yield f"left out, for they change nothing in most images: {'; '.join(ranges(tried, lost))}"


def _examples(stressed: Stressed) -> dict[str, np.ndarray]:
    """Return one of the images without and with some of the anomalies, as large as they are."""
    first, radius = slice(0, 1), max(stressed.masks)
    pictures = {"unchanged": to_pictures(stressed.images.subset([0]))[0]}
    for kind, levels in SHOWN.items():
        for level in levels:
            name = level_words(kind, level) if kind == "texture" else f"{kind} {level_words(kind, level)}"
            pictures[name] = to_pictures(stressed.changed(Cell(kind, level, radius), first))[0]
    return pictures
