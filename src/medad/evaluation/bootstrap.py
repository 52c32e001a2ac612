"""The stratified bootstrap: intervals of any ranking metric, and of differences."""

from collections.abc import Iterator, Sequence

import numpy as np

from medad.evaluation.curves import CurveMetric, checked, threshold_counts
from medad.evaluation.delong import DUST, Comparison
from medad.evaluation.units import units

# Draws are made in blocks of at most this many counts, so that memory does not grow with the test set.
_BLOCK = 1 << 21


def _strata(labels: np.ndarray, patients: Sequence[str] | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the unit that is drawn as a whole for each item, and the stratum of each unit.

    Strata are units with only normal items (0), with both (1), with only abnormal ones (2): so every draw holds
    both classes if the data do.
    """
    unit = np.unique(units(patients, len(labels)), return_inverse=True)[1]
    size, abnormal = np.bincount(unit), np.bincount(unit, labels)
    return unit, (abnormal > 0).astype(int) + (abnormal == size)


def resampled(labels: np.ndarray, draws: int, seed: int, patients: Sequence[str] | None) -> Iterator[np.ndarray]:
    """Yield (block, n) arrays: how often each item is drawn. They depend on nothing but the arguments.

    Normal and abnormal items are drawn separately; a patient's items are drawn together.
    """
    rng = np.random.default_rng(seed)
    unit, stratum = _strata(labels, patients)
    per_block = max(1, _BLOCK // len(labels))
    for start in range(0, draws, per_block):
        block = min(per_block, draws - start)
        counts = np.zeros((block, len(stratum)), dtype=np.int32)
        for members in (np.flatnonzero(stratum == s) for s in np.unique(stratum)):
            size = len(members)
            picks = rng.integers(size, size=(block, size)) + size * np.arange(block)[:, None]
            counts[:, members] = np.bincount(picks.ravel(), minlength=block * size).reshape(block, size)
        yield counts[:, unit]


def bootstrap_draws(
    labels: np.ndarray,
    rows: Sequence[np.ndarray],
    metrics: Sequence[CurveMetric],
    draws: int = 2000,
    seed: int = 0,
    patients: Sequence[str] | None = None,
) -> np.ndarray:
    """Values of metrics in each draw of a stratified bootstrap.

    Normal and abnormal items are resampled separately; where patients are known, a patient's items are
    drawn together. The draws depend on `labels`, `draws`, `seed` and `patients` only: all scores of the same
    items see the same draws, so their values can be subtracted pairwise.

    Parameters
    ----------
    labels : array_like
        (n,) in {0, 1}, both present.
    rows : sequence of array_like
        Scores, (n,) each, or (members, n): then the metric is the mean over members in each draw.
    metrics : sequence of callable
        Functions of ``(tp, fp)`` counts, e.g. `medad.evaluation.curves.auroc_of_counts`.
    draws, seed : int
        Number of draws and seed of the generator.
    patients : sequence of str, optional
        (n,) the patient of each item, empty where unknown.

    Returns
    -------
    ndarray
        (rows, metrics, draws).

    Raises
    ------
    ValueError
        If a class is missing, lengths differ, or a score is not finite.
    """
    members = [_members(labels, row) for row in rows]
    labels = np.asarray(labels, dtype=bool)
    if labels.all() or not labels.any():
        raise ValueError("the bootstrap needs normal and abnormal items")
    if patients is not None and len(patients) != len(labels):
        raise ValueError(f"{len(patients)} patients for {len(labels)} items")
    blocks = []
    for counts in resampled(labels, draws, seed, patients):
        blocks.append([_mean_over_members(labels, row, metrics, counts) for row in members])
    return np.concatenate(blocks, axis=2)


def _members(labels: np.ndarray, row: np.ndarray) -> list[np.ndarray]:
    return [checked(labels, member)[1] for member in np.atleast_2d(row)]


def _mean_over_members(
    labels: np.ndarray, row: Sequence[np.ndarray], metrics: Sequence[CurveMetric], counts: np.ndarray | None = None
) -> np.ndarray:
    curves = (threshold_counts(labels, member, counts) for member in row)
    return np.mean([[metric(*curve) for metric in metrics] for curve in curves], axis=0)


def paired_bootstrap(
    labels: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    metric: CurveMetric,
    draws: int = 2000,
    seed: int = 0,
    patients: Sequence[str] | None = None,
) -> Comparison:
    """Compare a metric of two scores of the same items, both resampled alike (see `bootstrap_draws`).

    Returns
    -------
    Comparison
        The difference, its 95 % percentile interval, and a two-sided p: twice (b + 1) / (draws + 1), where b is the
        number of draws on the rarer side of zero, a draw of exactly zero counting one half (Davison & Hinkley 1997).
    """
    values = bootstrap_draws(labels, [first, second], [metric], draws, seed, patients)[:, 0]
    differences = values[0] - values[1]
    differences[np.abs(differences) < DUST] = 0
    low, high = np.percentile(differences, (2.5, 97.5))
    above = (differences > 0).sum() + (differences == 0).sum() / 2
    p = min(2 * (min(above, draws - above) + 1) / (draws + 1), 1.0)
    abnormal = np.asarray(labels, dtype=bool)
    whole = [_mean_over_members(abnormal, _members(labels, row), [metric])[0] for row in (first, second)]
    return Comparison(float(whole[0] - whole[1]), float(low), float(high), float(p))
