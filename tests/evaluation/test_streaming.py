"""Histograms of pixels against the exact metrics."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medad.evaluation.metrics import PixelHistogram, au_pro, best_dice, pixel_auroc, pixel_average_precision
from medad.evaluation.streaming import BITS, _bins


def make(seed, scale=1.0, shape=(6, 16, 16)):
    rng = np.random.default_rng(seed)
    masks = rng.random(shape) < 0.2
    masks[0] = False
    return masks, ((rng.normal(size=shape) + masks) * scale).astype(np.float32)


def counted(masks, maps, parts=1):
    histogram = PixelHistogram()
    for some_masks, some_maps in zip(np.array_split(masks, parts), np.array_split(maps, parts), strict=True):
        histogram.update(some_masks, some_maps, regions=True)
    return histogram


@given(st.integers(0, 10**6), st.sampled_from([1e-30, 1.0, 1e30]), st.sampled_from([0, 1, 3]))
def test_exact_values_lie_within_the_bounds(seed, scale, digits):
    masks, maps = make(seed, scale)
    if digits:
        maps = np.round(maps / scale, digits) * np.float32(scale)  # many ties
    histogram = counted(masks, maps)
    for value, exact in (
        (histogram.auroc(), pixel_auroc(masks, maps)),
        (histogram.average_precision(), pixel_average_precision(masks, maps)),
        (histogram.best_dice(), best_dice(masks, maps)),
        (histogram.au_pro(0.3), au_pro(masks, maps, 0.3)),
    ):
        assert value.low - 1e-9 <= exact <= value.high + 1e-9
        assert value.low <= value.value <= value.high
        assert value.value == pytest.approx(exact, abs=5e-3)


def test_scores_within_few_bins_have_wide_bounds():
    masks, maps = make(0)
    maps = 100 + 0.03 * np.clip(maps, -1, 1)
    histogram = counted(masks, maps.astype(np.float32))
    for value, exact in (
        (histogram.best_dice(), best_dice(masks, maps)),
        (histogram.au_pro(), au_pro(masks, maps)),
    ):
        assert value.low <= exact <= value.high
        assert value.high - value.low > 0.1


def test_scores_apart_by_more_than_a_bin_are_exact():
    masks, _ = make(0)
    maps = np.random.default_rng(1).integers(1, 200, masks.shape).astype(np.float32)
    histogram = counted(masks, maps)
    assert histogram.auroc().value == pytest.approx(pixel_auroc(masks, maps), abs=1e-12)
    assert histogram.average_precision().value == pytest.approx(pixel_average_precision(masks, maps), abs=1e-12)
    assert histogram.au_pro().value == pytest.approx(au_pro(masks, maps), abs=1e-12)
    assert histogram.best_dice().value == pytest.approx(best_dice(masks, maps), abs=1e-12)


def test_batches_and_merging_change_nothing():
    masks, maps = make(3)
    whole, parts = counted(masks, maps), counted(masks, maps, 4)
    assert whole.auroc() == parts.auroc()
    assert whole.au_pro() == pytest.approx(parts.au_pro(), abs=1e-12)
    assert whole.best_dice() == parts.best_dice()
    merged = counted(masks[:2], maps[:2])
    merged.merge(counted(masks[2:], maps[2:]))
    assert merged.average_precision() == whole.average_precision()


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=2, max_size=30))
def test_bins_keep_the_order(scores):
    ranked = np.sort(np.array(scores, dtype=np.float32))
    bins = _bins(ranked)
    assert (np.diff(bins) >= 0).all()
    assert bins[0] >= 0 and bins[-1] < 2**BITS
    assert _bins(np.float32([-0.0])) == _bins(np.float32([0.0]))


def test_memory_does_not_grow_with_the_pixels():
    masks, maps = make(0, shape=(16, 64, 64))
    histogram = counted(masks, maps)
    tracemalloc.start()
    for _ in range(20):
        histogram.update(masks, maps)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 * 2**20
    assert histogram.abnormal.sum() + histogram.normal.sum() == 21 * masks.size


def test_what_cannot_be_counted_is_refused():
    masks, maps = make(0)
    with pytest.raises(ValueError, match="not finite"):
        PixelHistogram().update(masks, np.full(masks.shape, np.inf))
    with pytest.raises(ValueError, match="differ in shape"):
        PixelHistogram().update(masks, maps[:1])
    with pytest.raises(ValueError, match="normal and abnormal"):
        counted(np.zeros_like(masks), maps).auroc()
    with pytest.raises(ValueError, match="normal and abnormal"):
        PixelHistogram().au_pro()
    histogram = PixelHistogram()
    histogram.update(masks, maps)
    with pytest.raises(ValueError, match="regions=True"):
        histogram.au_pro()
