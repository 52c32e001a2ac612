"""Draws of images against exact pixel metrics of the images repeated."""

import warnings

import numpy as np
import pytest

from medad.evaluation import pixel_bootstrap as module
from medad.evaluation.bootstrap import resampled
from medad.evaluation.metric_list import listed
from medad.evaluation.metrics import au_pro, best_dice, pixel_auroc, pixel_average_precision
from medad.evaluation.pixel_bootstrap import image_counts, metrics_of_images, pixel_draws

EXACT = {"auroc": pixel_auroc, "ap": pixel_average_precision, "best_dice": best_dice, "au_pro": au_pro}
COUNTED = {metric.key: metric.of_counts for metric in listed("pixel")}


def make(images=24, size=32, signal=1.0, seed=0):
    """Every third image is normal, the others have one to four regions of very different areas; images differ."""
    rng = np.random.default_rng(seed)
    masks = np.zeros((images, size, size), dtype=bool)
    for image, mask in enumerate(masks):
        for _ in range(rng.integers(1, 5) if image % 3 else 0):
            (top, left), side = rng.integers(0, size - 8, 2), rng.integers(1, 9)
            mask[top : top + side, left : left + side] = True
    own = rng.normal(0, 0.5, (2, images, 1, 1))
    return masks, (rng.normal(size=masks.shape) + own[0] + (signal + own[1]) * masks).astype(np.float32)


@pytest.mark.parametrize("signal", [0, 1, 3, 6])
@pytest.mark.parametrize("digits", [0, 6])
def test_all_images_once_are_the_exact_metrics(signal, digits):
    masks, maps = make(images=90, signal=signal)
    maps = np.round(maps, digits)
    found = metrics_of_images(image_counts(masks, maps), np.ones((1, 90)), COUNTED)
    for name, exact in EXACT.items():
        assert found[name] == pytest.approx(exact(masks, maps), abs=2e-3)


def test_few_distinct_scores_are_exact():
    masks, maps = make()
    maps = np.digitize(maps, [-0.5, 0.5, 1.5])
    found = metrics_of_images(image_counts(masks, maps), np.ones((1, 24)), COUNTED)
    for name, exact in EXACT.items():
        assert found[name] == pytest.approx(exact(masks, maps), abs=1e-12)


@pytest.mark.parametrize("patients", [None, [f"p{i // 3 % 7}" if i < 20 else "" for i in range(24)]])
def test_every_draw_is_the_exact_metric_of_its_images(patients):
    masks, maps = make()
    found = pixel_draws(masks, maps, COUNTED, patients, draws=40, seed=3)
    times = np.concatenate(list(resampled(masks.any(axis=(1, 2)), 40, 3, patients)))
    assert len(np.unique(times, axis=0)) > 30
    for name, exact in EXACT.items():
        brute = [exact(np.repeat(masks, row, axis=0), np.repeat(maps, row, axis=0)) for row in times]
        assert found[name] == pytest.approx(brute, abs=4e-3)
        assert found[name].std() == pytest.approx(np.std(brute), rel=0.02)
        assert found[name].std() > 5e-3


def test_draws_depend_on_the_order_of_scores_only():
    masks, maps = make()
    first, again = (pixel_draws(masks, some, COUNTED, draws=20) for some in (maps, 3 * maps + 1))
    other = pixel_draws(masks, maps, COUNTED, draws=20, seed=1)
    for name in EXACT:
        np.testing.assert_allclose(first[name], again[name], atol=1e-12)
        assert not np.array_equal(first[name], other[name])


def test_blocks_cover_all_draws(monkeypatch):
    masks, maps = make()
    whole = pixel_draws(masks, maps, COUNTED, draws=25)
    monkeypatch.setattr(module, "_BLOCK", 7 * 700)
    for name, values in pixel_draws(masks, maps, COUNTED, draws=25).items():
        assert values.shape == (25,)
        np.testing.assert_allclose(values, whole[name], rtol=1e-12)


@pytest.mark.parametrize("kept", [[1], [0, 1], [1, 2], [0, 3, 4]])
def test_few_images_have_draws(kept):
    masks, maps = make()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = pixel_draws(masks[kept], maps[kept], COUNTED, draws=30)
    for name, exact in EXACT.items():
        assert np.isfinite(found[name]).all()
        assert found[name].min() - 4e-3 <= exact(masks[kept], maps[kept]) <= found[name].max() + 4e-3
    alone = np.bincount(masks[kept].any(axis=(1, 2))).max() == 1  # each image in its stratum
    assert (np.ptp(found["ap"]) == 0) == alone


@pytest.mark.parametrize("value", [False, True])
def test_one_class_is_undefined_in_every_draw(value):
    _, maps = make()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = pixel_draws(np.full(maps.shape, value), maps, COUNTED, draws=5)
    assert set(found) == set(EXACT)
    assert np.isnan(list(found.values())).all()


def test_what_cannot_be_drawn_is_refused():
    masks, maps = make()
    with pytest.raises(ValueError, match="both must be"):
        pixel_draws(masks, maps[1:], COUNTED)
    with pytest.raises(ValueError, match="finite"):
        pixel_draws(masks, np.full(maps.shape, np.nan), COUNTED)
    with pytest.raises(ValueError, match="2 patients for 24 images"):
        pixel_draws(masks, maps, COUNTED, ["a", "b"])
