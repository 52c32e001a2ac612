"""The shortcut test on the images of an audit."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from medad.data.audit.groups import groups_of
from medad.data.audit.lists import COMPARISONS, Listed
from medad.data.audit.looking import Looks
from medad.data.imageset import ImageSet
from medad.evaluation.image_statistics import image_statistics
from medad.evaluation.shortcut import histograms, one_hot, shortcut, together
from medad.progress import progress

MOST_IMAGES = 2000  # of each set, evenly spaced
CATEGORIES = ("manufacturer", "view", "format", "intensity")
SHOWN = ("mean_intensity", "mean_gradient", "file_size", "thumbnail")


def shortcuts(listed: Listed, looks: Looks, patients: Sequence[str], kept: np.ndarray) -> dict[str, Any]:
    """Tell the two sets of every comparison apart by what sees no pathology.

    Parameters
    ----------
    listed : Listed
        All images.
    looks : Looks
        What was seen of them.
    patients : sequence of str
        (N,) empty where unknown.
    kept : ndarray
        (N,) ``bool``: without repeats. Where test images would go, test classes are compared once more without them.

    Returns
    -------
    dict
        Comparison -> ``images`` of both sets, and ``features``: name -> AUROC and the ends of its interval.
    """
    sets = {one.name: (listed.among(one.first), listed.among(one.second)) for one in COMPARISONS}
    test = sets["classes"][0] | sets["classes"][1]
    if (test & ~kept).any():
        sets["classes_deduplicated"] = (sets["classes"][0] & kept, sets["classes"][1] & kept)
    read = np.array([one is not None for one in looks.looks])
    groups = groups_of(looks.looks)
    found = {}
    with progress(len(sets), "shortcut test") as advance:
        for name, (first, second) in sets.items():
            rows = [_evenly(np.flatnonzero(chosen & read)) for chosen in (first, second)]
            if all(map(len, rows)):
                found[name] = _of_sets(rows[0], rows[1], listed, looks, patients, groups)
            advance(1)
    return found


def _of_sets(
    first: np.ndarray,
    second: np.ndarray,
    listed: Listed,
    looks: Looks,
    patients: Sequence[str],
    groups: dict[str, list[str]],
) -> dict[str, Any]:
    rows = np.concatenate([first, second])
    is_second = np.repeat([False, True], [len(first), len(second)])
    known = [patients[i] for i in rows] if any(patients[i] for i in rows) else None
    features = _features(rows, listed, looks, groups)
    features["all of them"] = together(features)
    figures = {}
    for name, values in features.items():
        told = shortcut(values, is_second, known) if np.ptp(values, axis=0).any() else None
        if told:
            figures[name] = [round(figure, 4) for figure in (told.auroc, told.low, told.high)]
    return {"images": [len(first), len(second)], "features": figures}


def _features(rows: np.ndarray, listed: Listed, looks: Looks, groups: dict[str, list[str]]) -> dict[str, np.ndarray]:
    entries, pixels = [listed.entries[i] for i in rows], looks.pixels[rows]
    images = ImageSet(pixels[:, None], tuple(e.id for e in entries), tuple(str(e.path) for e in entries))
    statistics = image_statistics(images)
    seen = [one for one in (looks.looks[i] for i in rows) if one is not None]
    found = {
        "dimensions": np.log([[one.facts.width, one.facts.height] for one in seen]),
        "border": np.array([one.margin for one in seen]),
        "histogram": histograms(pixels, images.scale + 1),
    }
    found |= {name: statistics[name].astype(np.float64) for name in SHOWN if name in statistics}
    return found | {name: one_hot([groups[name][i] for i in rows]) for name in CATEGORIES if name in groups}


def _evenly(rows: np.ndarray) -> np.ndarray:
    """Choose at most `MOST_IMAGES`, evenly spaced."""
    return rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MOST_IMAGES)).astype(np.int64))]
