"""Pixel metrics against brute force, scikit-learn and hand-made cases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from medad.evaluation.metrics import (
    au_pro,
    best_dice,
    best_dice_medianomaly,
    dice,
    pixel_auroc,
    pixel_average_precision,
)


@st.composite
def masked_maps(draw):
    """Masks with and without regions, and maps with many ties."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    masks = rng.random((3, 6, 7)) < draw(st.sampled_from([0.1, 0.4]))
    masks[0] = False
    masks[1, 2, 3] = True
    return masks, rng.integers(0, draw(st.sampled_from([3, 200])), masks.shape) / 8


def brute_au_pro(masks, maps, limit):
    """Walk over all thresholds, one region after the other."""
    regions = []
    for image, mask in enumerate(masks):
        found, count = ndimage.label(mask, np.ones((3, 3)))
        regions += [(image, found == i) for i in range(1, count + 1)]
    points = [(0.0, 0.0)]
    for t in np.unique(maps)[::-1]:
        covered = np.mean([(maps[image][region] >= t).mean() for image, region in regions])
        points.append(((maps[~masks] >= t).mean(), covered))
    area = 0.0
    for (x0, y0), (x1, y1) in zip(points, points[1:], strict=False):
        if x0 >= limit:
            break
        if x1 > limit:
            y1 = y0 + (y1 - y0) * (limit - x0) / (x1 - x0)
            x1 = limit
        area += (x1 - x0) * (y0 + y1) / 2
    return area / limit


@given(masked_maps(), st.sampled_from([0.05, 0.3, 1.0]))
def test_au_pro_equals_brute_force(data, limit):
    masks, maps = data
    assert au_pro(masks, maps, limit) == pytest.approx(brute_au_pro(masks, maps, limit))


@given(masked_maps())
def test_pooled_metrics_equal_scikit_learn(data):
    masks, maps = data
    assert pixel_auroc(masks, maps) == pytest.approx(roc_auc_score(masks.ravel(), maps.ravel()))
    assert pixel_average_precision(masks, maps) == pytest.approx(average_precision_score(masks.ravel(), maps.ravel()))
    all_dice = [f1_score(masks.ravel(), (maps >= t).ravel()) for t in np.unique(maps)]
    assert best_dice(masks, maps) == pytest.approx(max(all_dice))
    assert dice(masks, maps, 0.25) == pytest.approx(f1_score(masks.ravel(), (maps >= 0.25).ravel()))


def test_perfect_and_random_maps():
    rng = np.random.default_rng(0)
    masks = np.zeros((20, 32, 32), dtype=bool)
    masks[10:, 8:20, 5:25] = True
    assert au_pro(masks, masks + 0.0) == 1
    assert au_pro(masks, rng.random(masks.shape)) == pytest.approx(0.15, abs=0.02)


def test_regions_touch_at_corners_and_small_ones_can_be_left_out():
    masks = np.zeros((1, 4, 4), dtype=bool)
    masks[0, [0, 1], [0, 1]] = True  # one region
    masks[0, 3, 3] = True
    maps = np.zeros((1, 4, 4))
    maps[0, 0, 0] = 2
    maps[0, 3, 3] = 1
    # half of the first region at no false positive, then the whole second one: (1/2 + 1) / 2 and all at rate 1
    assert au_pro(masks, maps, 1.0) == pytest.approx((0.75 + 1) / 2)
    assert au_pro(masks, maps, 1.0, min_area=2) == pytest.approx((0.5 + 1) / 2)


def test_what_is_undefined_is_said():
    maps = np.random.default_rng(0).random((2, 4, 4))
    for metric in (pixel_auroc, pixel_average_precision, best_dice, best_dice_medianomaly, au_pro):
        with pytest.warns(RuntimeWarning, match="undefined"):
            assert np.isnan(metric(np.zeros((2, 4, 4)), maps))
    with pytest.raises(ValueError, match="limit 0"):
        au_pro(maps > 0.5, maps, 0)
    with pytest.raises(ValueError, match="must be"):
        pixel_auroc(np.zeros((2, 4, 4)), maps[:1])


def test_dice_of_empty_images():
    masks, maps = np.zeros((2, 2, 2), dtype=bool), np.zeros((2, 2, 2))
    masks[1, 0, 0] = True
    assert dice(masks, maps, 0.5, pooled=False) == 0.5  # both empty: 1; nothing found: 0
    assert dice(masks[:1], maps[:1], 0.5) == 1
    assert dice(masks[1:], maps[1:], 0.5) == 0


@given(masked_maps())
def test_medianomaly_s_best_dice_by_brute_force(data):
    masks, maps = data
    ranked = np.sort(maps.ravel())
    thresholds = ranked[np.arange(0, ranked.size, ranked.size // 100)]
    values = [2 * (masks & (maps > t)).sum() / ((maps > t).sum() + masks.sum()) for t in thresholds]
    assert best_dice_medianomaly(masks, maps, size=None) == pytest.approx(max(values))


def test_medianomaly_s_best_dice_zooms_masks_by_the_nearest_pixel():
    masks = np.zeros((2, 128, 128), dtype=bool)
    masks[1, 32:96, 32:96] = True
    assert best_dice_medianomaly(masks, masks + 0.0) > 0.97
