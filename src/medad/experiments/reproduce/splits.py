"""Unlabeled sets of other rates and kinds than the published split has."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from medad.data.entries import Entry
from medad.data.repartition import Repartition
from medad.errors import UserError
from medad.training.seeds import derive_seed


def draw_stratified(pool: Sequence[Entry], size: int, rate: float, seed: int) -> tuple[Entry, ...]:
    """Draw `size` images of which a share `rate` is abnormal, each kind in proportion to its number in the pool.

    Raises
    ------
    UserError
        If the pool has too few of either.
    """
    abnormal = round(size * rate)
    kinds = sorted({entry.kind for entry in pool if entry.label == 1})
    groups = {kind: [entry for entry in pool if entry.label == 1 and entry.kind == kind] for kind in kinds}
    normal = [entry for entry in pool if entry.label == 0]
    if size - abnormal > len(normal) or abnormal > sum(map(len, groups.values())):
        raise UserError(f"the unlabeled images do not allow {size - abnormal} normal and {abnormal} abnormal ones")
    wanted = _shares(abnormal, [len(group) for group in groups.values()])
    chosen = _some(normal, size - abnormal, derive_seed(seed, "normal"))
    for (kind, group), count in zip(groups.items(), wanted, strict=True):
        chosen += _some(group, count, derive_seed(seed, kind))
    return tuple(chosen)


def _shares(total: int, sizes: Sequence[int]) -> list[int]:
    """Split `total` in proportion to `sizes`, the largest remainders rounded up."""
    exact = total * np.array(sizes, dtype=float) / max(sum(sizes), 1)
    counts = np.floor(exact).astype(int)
    order = np.argsort(counts - exact, kind="stable")
    counts[order[: total - counts.sum()]] += 1
    return counts.tolist()


def _some(entries: Sequence[Entry], count: int, seed: int) -> list[Entry]:
    order = np.random.default_rng(seed).permutation(len(entries))[:count]
    return [entries[i] for i in sorted(order.tolist())]


def write_split(data: Path, who: Repartition, unlabeled: Sequence[Entry], file: Path) -> Path:
    """Write `who`, the images of `data`, with other unlabeled ones as a manifest; return the file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    Repartition(who.normal, tuple(unlabeled), who.test).write(file, data)
    return file
