"""Groups of images by how they were made, and how lists depend on them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2_contingency

from medad.data.audit.looking import Look

MOST_LEVELS = 8
OTHER = "other"
FACTORS: Mapping[str, Callable[[Look], str]] = {
    "size": lambda one: f"{one.facts.width} x {one.facts.height}",
    "aspect": lambda one: aspect(one.facts.width / one.facts.height),
    "format": lambda one: one.facts.format,
    "mode": lambda one: one.facts.mode,
    "bits": lambda one: str(one.facts.bits),
    "intensity": lambda one: one.facts.applied,
    "manufacturer": lambda one: one.header.manufacturer,
    "view": lambda one: one.header.view,
    "laterality": lambda one: one.header.laterality,
    "photometric": lambda one: one.header.photometric,
    "border": lambda one: border(one.margin),
    "text": lambda one: "letters" if one.text else "none",
}


@dataclass(frozen=True)
class Dependence:
    """How two sets of images are spread over groups.

    Attributes
    ----------
    counts : dict
        Group -> images of the first and of the second set, the largest first; the smallest are one group.
    v : float
        Cramér's V, corrected for bias (Bergsma 2013): 0 where the sets are spread alike, 1 where a group tells.
    p : float
        Of the chi-squared test; images of one patient count as if they were several patients'.
    """

    counts: dict[str, tuple[int, int]]
    v: float
    p: float


def aspect(ratio: float) -> str:
    """Say of what shape an image is, to a tenth."""
    rounded = round(ratio, 1)
    return "square" if rounded == 1 else f"{'wide' if rounded > 1 else 'tall'} {rounded:g}"


def border(margin: Sequence[float]) -> str:
    """Say how much of the height and width of an image is a flat border."""
    share = max(margin[0] + margin[1], margin[2] + margin[3])
    bounds = {"none": 0.02, "narrow, below 10 %": 0.1, "wide, below 30 %": 0.3}
    return next((name for name, bound in bounds.items() if share < bound), "very wide, 30 % or more")


def groups_of(looks: Sequence[Look | None]) -> dict[str, list[str]]:
    """Return the group of each image by every factor that has several; "" for what could not be read."""
    found = {name: [factor(one) if one else "" for one in looks] for name, factor in FACTORS.items()}
    read = [one is not None for one in looks]
    several = {name: {v for v, seen in zip(values, read, strict=True) if seen} for name, values in found.items()}
    return {name: values for name, values in found.items() if len(several[name]) > 1}


def dependence(values: Sequence[str], first: np.ndarray, second: np.ndarray) -> Dependence | None:
    """Compare two sets of images.

    Parameters
    ----------
    values : sequence of str
        (N,) the group of each image; an empty one is that of images of which it is not known.
    first, second : ndarray
        (N,) ``bool``: the sets.

    Returns
    -------
    Dependence or None
        None where a set is empty or there is one group only.
    """
    names = np.array([value or "not known" for value in values], dtype=object)
    sets = [Counter(names[chosen]) for chosen in (first, second)]
    together = sorted((sets[0] + sets[1]).items(), key=lambda one: (-one[1], one[0]))
    if len(together) < 2 or not all(sets):
        return None
    counts = {name: (sets[0][name], sets[1][name]) for name, _ in together[:MOST_LEVELS]}
    if rest := together[MOST_LEVELS:]:
        counts[f"{OTHER} ({len(rest)})"] = tuple(sum(one[name] for name, _ in rest) for one in sets)  # type: ignore[assignment]
    table = np.array(list(counts.values()))
    chi2, p = chi2_contingency(table, correction=False)[:2]
    return Dependence(counts, cramers_v(float(chi2), table.shape, int(table.sum())), float(p))


def cramers_v(chi2: float, shape: tuple[int, ...], count: int) -> float:
    """Return Cramér's V corrected for bias (Bergsma, J. Korean Statistical Society 2013)."""
    if count < 2:
        return 0.0
    excess = max(chi2 / count - (shape[0] - 1) * (shape[1] - 1) / (count - 1), 0)
    sides = [side - (side - 1) ** 2 / (count - 1) for side in shape]
    return float(np.sqrt(excess / (min(sides) - 1))) if min(sides) > 1 else 0.0
