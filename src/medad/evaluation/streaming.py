"""Pixel metrics of any number of pixels in constant memory: histograms of scores."""

from typing import NamedTuple

import numpy as np

from medad.evaluation.curves import auroc_of_counts, average_precision_of_counts, best_dice_of_counts, pro_of_counts
from medad.evaluation.pixels import coverage_weights

BINS = 1 << 17  # the most that are kept; each takes 40 bytes


class Bounded(NamedTuple):
    """A value, and between which the exact one lies."""

    value: float
    low: float
    high: float


class PixelHistogram:
    """Counts of abnormal and normal pixels by score, filled batch by batch.

    Up to 2^17 distinct scores are counted each by itself: then every metric is exact. Of more, those are counted
    together whose 64-bit floats begin with the same bits, as many of them as it takes for 2^17 occupied bins. How many
    depends on all scores seen, not on their order, so the outcome does not depend on how pixels are dealt out to
    batches or histograms (sums of `covered` up to their rounding), and the range need not be known: bins are fine
    where scores are, at any scale and however narrow the range. Only a narrow peak among very many scores of very
    different magnitudes shares few bins; like all bins that hold different scores it widens the bounds that each
    metric comes with, between which the exact value always lies. Memory is 5 MB, while counting some 30 MB more.

    Attributes
    ----------
    abnormal, normal : ndarray
        (bins,) ``float64`` whole numbers of pixels by bin, ascending.
    covered : ndarray
        (bins,) sums of :func:`medad.evaluation.pixels.coverage_weights`.
    """

    def __init__(self) -> None:
        self._shift = 0  # trailing bits that scores of one bin may differ in
        self._lowest = self._highest = np.zeros(0, dtype=np.uint64)  # keys of the scores that a bin holds
        self._sums = np.zeros((3, 0))

    @property
    def abnormal(self) -> np.ndarray:
        """Abnormal pixels by bin."""
        return self._sums[0]

    @property
    def normal(self) -> np.ndarray:
        """Normal pixels by bin."""
        return self._sums[1]

    @property
    def covered(self) -> np.ndarray:
        """Covered fractions of regions by bin."""
        return self._sums[2]

    def update(self, masks: np.ndarray, maps: np.ndarray, regions: bool = False) -> None:
        """Count the pixels of a batch.

        Parameters
        ----------
        masks, maps : array_like
            (n, H, W) in {0, 1}, and finite.
        regions : bool
            Also what :meth:`au_pro` needs.

        Raises
        ------
        ValueError
            If shapes differ or a pixel is not finite.
        """
        masks, maps = np.asarray(masks, dtype=bool), np.asarray(maps)
        if masks.shape != maps.shape:
            raise ValueError(f"masks {masks.shape} and maps {maps.shape} differ in shape")
        if not np.isfinite(maps).all():
            raise ValueError("a pixel of the maps is not finite")
        weights = coverage_weights(masks).ravel() if regions else np.zeros(masks.size)
        chosen, scores = masks.ravel(), maps.ravel()
        for start in range(0, masks.size, BINS):
            part = slice(start, start + BINS)
            keys = _keys(scores[part])
            counted = PixelHistogram()
            counted._add(self._shift, keys, keys, np.stack([chosen[part], ~chosen[part], weights[part]]))
            self.merge(counted)

    def merge(self, other: "PixelHistogram") -> None:
        """Add the counts of another histogram."""
        self._add(other._shift, other._lowest, other._highest, other._sums)

    def _add(self, shift: int, lowest: np.ndarray, highest: np.ndarray, sums: np.ndarray) -> None:
        """Add bins (one pixel is one, too), and make all bins as coarse as `BINS` of them have to be."""
        lowest = np.concatenate([self._lowest, lowest])
        order = np.argsort(lowest, kind="stable")  # fast where both parts are sorted
        lowest = lowest[order]
        differing = lowest[1:] ^ lowest[:-1]  # its highest bit is the first in which two neighbours differ
        self._shift = max(self._shift, shift)
        if len(differing) >= BINS:
            self._shift = max(self._shift, int(np.partition(differing, -BINS)[-BINS]).bit_length())
        first = np.flatnonzero(np.append(True, differing >> np.uint64(self._shift))[: len(lowest)])
        self._lowest = lowest[first]
        self._highest = np.maximum.reduceat(np.concatenate([self._highest, highest])[order], first)
        self._sums = np.add.reduceat(np.concatenate([self._sums, sums], axis=1)[:, order], first, axis=1)

    def auroc(self) -> Bounded:
        """Return the pixels' AUROC, ties within bins counted one half; exact to half the share of untrue ties."""
        tp, fp = self._counts()
        value = float(auroc_of_counts(tp, fp))
        ties = np.diff(tp, prepend=0) / tp[-1] * np.diff(fp, prepend=0) / fp[-1]
        margin = float(ties[~self._exact()].sum() / 2)
        return Bounded(value, value - margin, value + margin)

    def average_precision(self) -> Bounded:
        """Return the pixels' AP; the exact one takes the abnormal pixels of a bin somewhere between last and first."""
        tp, fp = self._counts()
        before_tp, before_fp = _before(tp), _before(fp)
        at_end = tp / (tp + fp)
        worst = np.where(self._exact(), at_end, (before_tp + 1) / (before_tp + 1 + fp))
        best = np.where(self._exact(), at_end, tp / np.maximum(tp + before_fp, 1))
        bounds = (((tp - before_tp) * precision).sum() / tp[-1] for precision in (worst, best))
        return Bounded(float(average_precision_of_counts(tp, fp)), *map(float, bounds))

    def best_dice(self) -> Bounded:
        """Return the highest Dice over thresholds between bins: an oracle.

        The exact one is no lower, and no higher than if in every bin the abnormal pixels came first.
        """
        tp, fp = self._counts()
        value = float(best_dice_of_counts(tp, fp))
        least_fp = np.where(self._exact(), fp, _before(fp))
        return Bounded(value, value, float((2 * tp / (tp + least_fp + tp[-1])).max()))

    def au_pro(self, limit: float = 0.3) -> Bounded:
        """Return :func:`medad.evaluation.pixels.au_pro` of all batches that were counted with ``regions=True``.

        The exact curve runs between those on which, in every bin, all abnormal pixels come first, or last.
        """
        _, fp = self._counts()
        covered = np.cumsum(self.covered[::-1])
        if not covered[-1]:
            raise ValueError("no regions: count batches with regions=True")
        least_covered, least_fp = (np.where(self._exact(), at, _before(at)) for at in (covered, fp))
        last = pro_of_counts(_between(least_covered, covered), np.repeat(fp, 2), limit)
        first = pro_of_counts(np.repeat(covered, 2), _between(least_fp, fp), limit)
        return Bounded(*map(float, (pro_of_counts(covered, fp, limit), last, first)))

    def _exact(self) -> np.ndarray:
        """Tell which bins, highest first, hold a single score."""
        return (self._lowest == self._highest)[::-1]

    def _counts(self) -> tuple[np.ndarray, np.ndarray]:
        """Return true and false positives at thresholds between bins, highest first."""
        tp, fp = np.cumsum(self._sums[:2, ::-1], axis=1)
        if not len(tp) or not tp[-1] or not fp[-1]:
            raise ValueError("normal and abnormal pixels are needed")
        return tp, fp


def _before(counts: np.ndarray) -> np.ndarray:
    """Return cumulated counts as they were one entry earlier."""
    return np.concatenate([[0.0], counts[:-1]])


def _between(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the entries of two arrays by turns."""
    return np.stack([first, second], axis=1).ravel()


def _keys(scores: np.ndarray) -> np.ndarray:
    """Return the bits of scores as 64-bit floats, turned so that integers have the floats' order."""
    bits = (scores.astype(np.float64) + 0.0).view(np.uint64)  # -0 becomes 0
    return np.where(bits >> np.uint64(63), ~bits, bits | np.uint64(1 << 63))
