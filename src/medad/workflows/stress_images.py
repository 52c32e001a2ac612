"""Normal images that a run has not learned from, in which anomalies can be put."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from medad.data.entries import Entry
from medad.data.imageset import ImageSet
from medad.detectors.contract.detector import Detector
from medad.detectors.contract.seen import digests_of
from medad.errors import UserError
from medad.evaluation.blindness import FEWEST
from medad.evaluation.units import units
from medad.training.seeds import derive_seed
from medad.workflows.splits import load, read_repartition
from medad.workflows.stress_cells import foreground


def unlearned(
    detector: Detector, data: Path, split: Path | None, count: int, seed: int, jobs: int | None
) -> tuple[ImageSet, list[str]]:
    """Draw normal images: test ones and, where these are too few, those of the normal split as well.

    What the run has learned from is left out, what is dark all over, and what is there already; a patient gives one
    image.

    Returns
    -------
    images : ImageSet
        At most `count`, in random order.
    notes : list of str
        What was left out, and why.

    Raises
    ------
    UserError
        If fewer than `FEWEST` remain, or the run does not know from which images it has learned.
    """
    if "trained" not in detector.seen_:
        raise UserError("the run does not tell which images it has learned from; train it again")
    who = read_repartition(data, split)
    test = [entry for entry in who.test if entry.label == 0]
    images, notes = _usable(detector, test, seed, jobs)
    if len(images) < count:
        images, notes = _usable(detector, [*test, *who.normal], seed, jobs)
    if len(images) < FEWEST:
        raise UserError(
            f"{split or data}: {'; '.join([*notes, f'{len(images)} normal images remain'])}; it takes {FEWEST}: list "
            "more normal ones in the split 'test'"
        )
    if len(images) < count:
        notes.append(f"{len(images)} images instead of {count}: there are no more")
    return images.subset(range(min(count, len(images)))), notes


def _usable(detector: Detector, entries: Sequence[Entry], seed: int, jobs: int | None) -> tuple[ImageSet, list[str]]:
    """Return in random order what of the images may be changed, and what is left out."""
    options = detector.options
    if not entries:
        return ImageSet(np.empty((0, options.channels, options.size, options.size), np.uint8), (), ()), []
    bare = [replace(entry, mask=None, kind="") for entry in entries]
    images = load(bare, options.preprocessing, "normal images", jobs)
    digests, owners = digests_of(images.pixels).numpy(), np.array(units(images.patients, len(images)))
    reasons: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "the run has learned from them": lambda rows: np.isin(digests[rows], detector.seen_["trained"].numpy()),
        "they are dark all over": lambda rows: ~foreground(images)[rows].any((1, 2)),
        "another is the same, or of the same patient": lambda rows: _repeats(digests[rows]) | _repeats(owners[rows]),
    }
    rows, notes = np.random.default_rng(derive_seed(seed, "stress")).permutation(len(images)), []
    for reason, applies in reasons.items():
        out = applies(rows)
        rows = rows[~out]
        if out.any():
            notes.append(f"{out.sum()} of {len(images)} normal images are left out: {reason}")
    return images.subset(rows), notes


def _repeats(names: np.ndarray) -> np.ndarray:
    """Return which of the names have been there before, (n,) ``bool``."""
    repeated = np.ones(len(names), bool)
    repeated[np.unique(names, return_index=True)[1]] = False
    return repeated
