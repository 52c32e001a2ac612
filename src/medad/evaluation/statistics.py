"""How certain a figure is: the stratified bootstrap."""

from collections.abc import Iterator, Sequence

import numpy as np

from medad.evaluation.curves import CurveMetric, checked, threshold_counts

# Draws are made in blocks of at most this many counts, so that memory does not grow with the test set.
_BLOCK = 1 << 21


def _strata(labels: np.ndarray, patients: Sequence[str] | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the unit that is drawn as a whole for each item, and the stratum of each unit.

    Units are patients, or items where the patient is unknown (None or ""). Strata are units with only normal
    items (0), with both (1), with only abnormal ones (2): so every draw holds both classes if the data do.
    """
    known = [""] * len(labels) if patients is None else patients
    names = [patient or f"\0{i}" for i, patient in enumerate(known)]
    unit = np.unique(names, return_inverse=True)[1]
    size, abnormal = np.bincount(unit), np.bincount(unit, labels)
    return unit, (abnormal > 0).astype(int) + (abnormal == size)


def _resampled(labels: np.ndarray, draws: int, seed: int, patients: Sequence[str] | None) -> Iterator[np.ndarray]:
    """Yield (block, n) arrays: how often each item is drawn. They depend on nothing but the arguments."""
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
    scores: np.ndarray,
    metrics: Sequence[CurveMetric],
    draws: int = 2000,
    seed: int = 0,
    patients: Sequence[str] | None = None,
) -> np.ndarray:
    """Values of metrics in each draw of a stratified bootstrap.

    Normal and abnormal items are resampled separately; where patients are known, a patient's items are
    drawn together. The draws depend on `labels`, `draws`, `seed` and `patients` only: two scores of the same
    items see the same draws, so their values can be subtracted pairwise.

    Parameters
    ----------
    labels : array_like
        (n,) in {0, 1}, both present.
    scores : array_like
        (n,), or (members, n): then the metric is the mean over members in each draw.
    metrics : sequence of callable
        Functions of ``(tp, fp)`` counts, e.g. `medad.evaluation.curves.auroc_of_counts`.
    draws, seed : int
        Number of draws and seed of the generator.
    patients : sequence of str, optional
        (n,) the patient of each item, empty where unknown.

    Returns
    -------
    ndarray
        (len(metrics), draws).

    Raises
    ------
    ValueError
        If a class is missing, lengths differ, or a score is not finite.
    """
    members = [checked(labels, member)[1] for member in np.atleast_2d(scores)]
    labels = np.asarray(labels, dtype=bool)
    if labels.all() or not labels.any():
        raise ValueError("the bootstrap needs normal and abnormal items")
    if patients is not None and len(patients) != len(labels):
        raise ValueError(f"{len(patients)} patients for {len(labels)} items")
    blocks = []
    for counts in _resampled(labels, draws, seed, patients):
        curves = [threshold_counts(labels, member, counts) for member in members]
        blocks.append([np.mean([metric(*curve) for curve in curves], axis=0) for metric in metrics])
    return np.concatenate(blocks, axis=1)


def stratified_bootstrap(
    labels: np.ndarray,
    scores: np.ndarray,
    metrics: Sequence[CurveMetric],
    draws: int = 2000,
    seed: int = 0,
    patients: Sequence[str] | None = None,
) -> list[tuple[float, float]]:
    """95 % percentile interval of each metric from `bootstrap_draws` (same parameters and errors).

    Returns
    -------
    list of (float, float)
        Lower and upper end for each of `metrics`.
    """
    values = bootstrap_draws(labels, scores, metrics, draws, seed, patients)
    return [(float(low), float(high)) for low, high in np.percentile(values, (2.5, 97.5), axis=1).T]
