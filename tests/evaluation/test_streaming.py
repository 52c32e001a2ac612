"""Histograms of pixels against the exact metrics."""

import tracemalloc
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medad.evaluation import streaming
from medad.evaluation.metrics import PixelHistogram, au_pro, best_dice, pixel_auroc, pixel_average_precision
from medad.evaluation.streaming import BINS, _keys


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


def beside_exact(histogram, masks, maps):
    """Each metric of a histogram, and the exact one."""
    return (
        (histogram.auroc(), pixel_auroc(masks, maps)),
        (histogram.average_precision(), pixel_average_precision(masks, maps)),
        (histogram.best_dice(), best_dice(masks, maps)),
        (histogram.au_pro(0.3), au_pro(masks, maps, 0.3)),
    )


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from([1e-30, 1.0, 1e30]), st.sampled_from([0, 1, 3]), st.integers(2, 500))
def test_exact_values_lie_within_the_bounds(seed, scale, digits, bins):
    masks, maps = make(seed, scale)
    if digits:
        maps = np.round(maps / scale, digits) * np.float32(scale)  # many ties
    with patch.object(streaming, "BINS", bins):
        histogram = counted(masks, maps)
    assert len(histogram.normal) <= bins
    for value, exact in beside_exact(histogram, masks, maps):
        assert value.low - 1e-9 <= exact <= value.high + 1e-9
        assert value.low - 1e-12 <= value.value <= value.high + 1e-12


@pytest.mark.parametrize("digits", [1, 8])
def test_few_distinct_scores_are_exact(digits):
    masks, maps = make(0)
    maps = np.round(maps, digits)
    for value, exact in beside_exact(counted(masks, maps), masks, maps):
        assert value == pytest.approx((exact, exact, exact), abs=1e-12)


SHAPES = {
    "of one": lambda noise: noise,
    "narrow": lambda noise: (0.5 + 1e-5 * noise).astype(np.float32),
    "too narrow for 32 bits": lambda noise: 100 + 1e-9 * noise,
    "negative": lambda noise: -1000 + noise,
    "huge": lambda noise: np.exp(100 * noise),
    "on a black ground": lambda noise: np.maximum(noise, 0),
    "with outliers": lambda noise: np.where(noise > 3.5, 1e30 * noise, 0.5 + 1e-5 * noise),
    "constant": lambda noise: np.full(noise.shape, 0.1),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_bounds_are_tight_at_any_range(shape):
    rng = np.random.default_rng(0)
    masks = np.zeros((30, 60, 60), dtype=bool)
    masks[10:, 20:35, 20:35] = True
    maps = SHAPES[shape](rng.normal(size=masks.shape) + masks)
    with patch.object(streaming, "BINS", 2**14):  # for 108,000 pixels
        histogram = counted(masks, maps, 4)
    for value, exact in beside_exact(histogram, masks, maps):
        assert value.low - 1e-9 <= exact <= value.high + 1e-9
        assert value.high - value.low < 1e-3


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 6), st.sampled_from([10, 300, 10**4]))
def test_order_batches_and_merging_change_nothing(seed, parts, bins):
    masks, maps = make(seed)
    order = np.random.default_rng(seed).permutation(len(masks))
    with patch.object(streaming, "BINS", bins):
        whole, others = counted(masks, maps), counted(masks[order], maps[order], parts)
        merged = counted(masks[:2], maps[:2])
        merged.merge(counted(masks[2:], maps[2:], 2))
    for other in (others, merged):
        assert whole.auroc() == other.auroc()
        assert whole.average_precision() == other.average_precision()
        assert whole.best_dice() == other.best_dice()
        assert whole.au_pro() == pytest.approx(other.au_pro(), abs=1e-12)
        np.testing.assert_array_equal(whole.abnormal, other.abnormal)
        np.testing.assert_array_equal(whole.normal, other.normal)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=30))
def test_keys_keep_the_order(scores):
    ranked = np.sort(scores)
    keys = _keys(ranked)
    assert ((keys[1:] > keys[:-1]) == (ranked[1:] > ranked[:-1])).all()
    assert (keys[1:] >= keys[:-1]).all()


def test_memory_does_not_grow_with_the_pixels():
    masks, maps = make(0, shape=(16, 64, 64))
    histogram = PixelHistogram()
    tracemalloc.start()
    for scale in range(1, 21):
        histogram.update(masks, maps * scale)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 * 2**20
    assert BINS / 2 < len(histogram.normal) <= BINS
    assert histogram.abnormal.sum() + histogram.normal.sum() == 20 * masks.size


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
    histogram.merge(PixelHistogram())
    histogram.update(masks, maps)
    with pytest.raises(ValueError, match="regions=True"):
        histogram.au_pro()
