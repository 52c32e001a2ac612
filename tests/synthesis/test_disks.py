"""Disks lie in the foreground, keep their places, and change nothing outside."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from medad.synthesis.disks import blurred, disk_masks, filled, raised, shuffled, sink, source


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    inside = np.hypot(*(np.mgrid[:128, :128] - 64)) < 45
    fields = np.stack([gaussian_filter(rng.normal(size=(128, 128)), 2) for _ in range(6)])
    return np.where(inside, (0.4 + 0.12 * fields / fields.std()).clip(0.05, 0.95), 0.0)


def test_disks_lie_in_the_foreground_and_keep_their_places(images):
    masks = disk_masks(images)
    assert (images[masks] > 0).all() and masks.any((1, 2)).all() and masks.sum((1, 2)).max() <= np.pi * 20.5**2
    np.testing.assert_array_equal(masks, disk_masks(images))
    assert not np.array_equal(masks, disk_masks(images, 1))
    assert (disk_masks(images, radius=5.5) <= masks).all()


CHANGES = {
    "filled": lambda image, mask: filled(image, mask, 1.0),
    "raised": lambda image, mask: raised(image, mask, 0.2),
    "softly raised": lambda image, mask: raised(image, mask, -0.2, soft=True),
    "blurred": blurred,
    "shuffled": lambda image, mask: shuffled(image, mask, np.random.default_rng(0)),
    "source": source,
    "sink": sink,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_is_one_of_the_disk_alone_and_that_of_each_channel(images, change):
    (mask,) = disk_masks(images[:1])
    changed = change(images[0], mask)
    np.testing.assert_array_equal(changed[~mask], images[0][~mask])
    assert (changed[mask] != images[0][mask]).mean() > 0.5
    colour = change(np.stack([images[0], images[0]], 2), mask)
    np.testing.assert_array_equal(colour, np.stack([changed, changed], 2))


def test_a_shuffle_keeps_the_values(images):
    (mask,) = disk_masks(images[:1])
    changed = shuffled(images[0], mask, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(changed[mask]), np.sort(images[0][mask]))


def test_source_and_sink_take_pixels_from_where_they_should():
    rows = np.broadcast_to(np.arange(64.0)[:, None], (64, 64))
    disk = (rows - 32) ** 2 + (rows.T - 32) ** 2 <= 400
    assert source(rows, disk)[42, 32] == 32 + round(10 * 0.25) and sink(rows, disk)[42, 32] == 42 + round(10 * 0.75)


def test_a_soft_change_is_whole_in_the_middle_and_fades():
    disk = np.hypot(*(np.mgrid[:41, :41] - 20)) <= 10
    added = raised(np.full((41, 41), 0.5), disk, 0.2, soft=True) - 0.5
    assert added[20, 20] == pytest.approx(0.2) and 0 < added[20, 30] < 0.03 and 0.08 < added[20, 25] < 0.12
    assert raised(np.full((41, 41), 0.9), disk, 0.2).max() == 1
