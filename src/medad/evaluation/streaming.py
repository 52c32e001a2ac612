"""Pixel metrics of any number of pixels in constant memory: histograms of scores."""

from typing import NamedTuple

import numpy as np

from medad.evaluation.curves import auroc_of_counts, average_precision_of_counts, best_dice_of_counts, pro_of_counts
from medad.evaluation.pixels import coverage_weights

BITS = 20


class Bounded(NamedTuple):
    """A value, and between which the exact one lies."""

    value: float
    low: float
    high: float


class PixelHistogram:
    """Counts of abnormal and normal pixels by score, filled batch by batch.

    Bins are the 2^20 highest-order parts of a 32-bit float in its order: sign, exponent and 11 bits of the
    mantissa. So the range need not be known, scores that differ by more than 1 part in 2,048 are told
    apart at any scale, and the outcome does not depend on how pixels are dealt out to batches. Memory is 24 MB.

    Attributes
    ----------
    abnormal, normal : ndarray
        (2^20,) ``int64`` pixels by bin, ascending.
    covered : ndarray
        (2^20,) ``float64`` sums of :func:`medad.evaluation.pixels.coverage_weights`.
    """

    def __init__(self) -> None:
        self.abnormal = np.zeros(2**BITS, dtype=np.int64)
        self.normal = np.zeros(2**BITS, dtype=np.int64)
        self.covered = np.zeros(2**BITS)

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
            If shapes differ or a pixel is not finite in 32 bits.
        """
        masks, maps = np.asarray(masks, dtype=bool), np.asarray(maps, dtype=np.float32)
        if masks.shape != maps.shape:
            raise ValueError(f"masks {masks.shape} and maps {maps.shape} differ in shape")
        if not np.isfinite(maps).all():
            raise ValueError("a pixel of the maps is not finite")
        bins, chosen = _bins(maps.ravel()), masks.ravel()
        self.abnormal += np.bincount(bins[chosen], minlength=2**BITS)
        self.normal += np.bincount(bins[~chosen], minlength=2**BITS)
        if regions:
            self.covered += np.bincount(bins, coverage_weights(masks).ravel(), minlength=2**BITS)

    def merge(self, other: "PixelHistogram") -> None:
        """Add the counts of another histogram."""
        self.abnormal += other.abnormal
        self.normal += other.normal
        self.covered += other.covered

    def auroc(self) -> Bounded:
        """Return the pixels' AUROC, ties within bins counted one half; exact to half the share of such ties."""
        tp, fp = self._counts()
        value = float(auroc_of_counts(tp, fp))
        margin = float(np.dot(self.abnormal / tp[-1], self.normal / fp[-1]) / 2)
        return Bounded(value, value - margin, value + margin)

    def average_precision(self) -> Bounded:
        """Return the pixels' AP; the exact one takes the abnormal pixels of a bin somewhere between last and first."""
        tp, fp = self._counts()
        before_tp, before_fp = _before(tp), _before(fp)
        new_tp = tp - before_tp
        worst = (before_tp + 1) / (before_tp + 1 + fp)
        best = tp / np.maximum(tp + before_fp, 1)
        bounds = ((new_tp * precision).sum() / tp[-1] for precision in (worst, best))
        return Bounded(float(average_precision_of_counts(tp, fp)), *map(float, bounds))

    def best_dice(self) -> Bounded:
        """Return the highest Dice over thresholds between bins: an oracle.

        The exact one is no lower, and no higher than if in every bin the abnormal pixels came first.
        """
        tp, fp = self._counts()
        value = float(best_dice_of_counts(tp, fp))
        return Bounded(value, value, float((2 * tp / (tp + _before(fp) + tp[-1])).max()))

    def au_pro(self, limit: float = 0.3) -> Bounded:
        """Return :func:`medad.evaluation.pixels.au_pro` of all batches that were counted with ``regions=True``.

        The exact curve runs between those on which, in every bin, all abnormal pixels come first, or last.
        """
        _, fp = self._counts()
        covered = np.cumsum(self.covered[self._occupied()])
        if not covered[-1]:
            raise ValueError("no regions: count batches with regions=True")
        twice_fp, twice_covered = np.repeat(fp, 2), np.repeat(covered, 2)
        last_first = pro_of_counts(_before(twice_covered), twice_fp, limit)
        first = pro_of_counts(twice_covered, _before(twice_fp), limit)
        return Bounded(pro_of_counts(covered, fp, limit), last_first, first)

    def _occupied(self) -> np.ndarray:
        return np.flatnonzero(self.abnormal + self.normal)[::-1]

    def _counts(self) -> tuple[np.ndarray, np.ndarray]:
        """Return true and false positives at thresholds between bins, highest first."""
        occupied = self._occupied()
        tp, fp = np.cumsum(self.abnormal[occupied]), np.cumsum(self.normal[occupied])
        if not len(occupied) or not tp[-1] or not fp[-1]:
            raise ValueError("normal and abnormal pixels are needed")
        return tp.astype(np.float64), fp.astype(np.float64)


def _before(counts: np.ndarray) -> np.ndarray:
    """Return cumulated counts as they were one entry earlier."""
    return np.concatenate([[0.0], counts[:-1]])


def _bins(scores: np.ndarray) -> np.ndarray:
    """Return the bins of ``float32`` scores: their bits, turned so that integers have the floats' order."""
    bits = (scores + np.float32(0)).view(np.uint32)  # -0 becomes 0
    negative = bits >> 31 != 0
    return (np.where(negative, ~bits, bits | np.uint32(1 << 31)) >> np.uint32(32 - BITS)).astype(np.int64)
