"""How files of normal images differ from those on which a promise was made: size, depth, format, view, manufacturer."""

from collections.abc import Iterator

import numpy as np

from medad.data.audit.groups import dependence
from medad.workflows.calibration_set import FACTS, CalibrationSet

LEVEL = 0.01  # of the test of all facts together (Bonferroni)
SHOWN = 3  # values of a fact


def changed_facts(known: CalibrationSet, local: CalibrationSet) -> Iterator[str]:
    """Say which facts are not spread over local images as over those of a set, with the counts of their values."""
    second = np.repeat([False, True], [len(known.digests), len(local.digests)])
    for fact in FACTS:
        values = [*_values(known, fact), *_values(local, fact)]
        found = dependence(values, ~second, second)
        if found is not None and found.p < LEVEL / len(FACTS):
            each = [
                f"{name} {here} of {len(local.digests)} here, {there} of {len(known.digests)} before"
                for name, (there, here) in list(found.counts.items())[:SHOWN]
            ]
            yield f"their {fact} differs: {'; '.join(each)}"


def _values(images: CalibrationSet, fact: str) -> tuple[str, ...]:
    return images.classes.get(fact, ("",) * len(images.digests))
