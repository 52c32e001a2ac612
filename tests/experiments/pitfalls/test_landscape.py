"""Average precisions of many intensities at once against scikit-learn's, and what the paper found at a small size."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from sklearn.metrics import average_precision_score

from medad.experiments.reproduce.pitfalls.disks import disk_masks, equalised, shuffled, sink, source
from medad.experiments.reproduce.pitfalls.landscape import average_precisions, landscape


@pytest.mark.parametrize("seed", range(5))
def test_average_precisions_are_scikit_learns(seed):
    rng = np.random.default_rng(seed)
    draw = [lambda *s: rng.random(s), lambda *s: rng.integers(0, 4, s) / 4][seed % 2]
    positive, negative = draw(7, 13), np.sort(draw(60))
    labels = np.repeat([1, 0], [13, 60])
    expected = [average_precision_score(labels, np.concatenate([row, negative])) for row in positive]
    np.testing.assert_allclose(average_precisions(positive, negative), expected)


def test_every_cell_is_that_of_the_whole_image(heads):
    images = heads(3, 64)
    masks = disk_masks(images, 1, radius=8)
    found = landscape(images, masks, [0.0, 0.4, 1.0], [0.0, 1.5], jobs=2)
    for i, value in enumerate([0.0, 0.4, 1.0]):
        for j, sigma in enumerate([0.0, 1.5]):
            aps, means = [], []
            for image, mask in zip(images, masks, strict=True):
                anomalous = np.where(mask, value, image)
                residual = np.abs((gaussian_filter(image, sigma) if sigma else image) - anomalous)
                aps.append(average_precision_score(mask.ravel(), residual.ravel()))
                means.append(residual.mean())
            assert found.ap[i, j] == pytest.approx(np.mean(aps))
            assert found.residual[i, j] == pytest.approx(np.mean(means))


def test_disks_lie_in_the_foreground_and_keep_their_places(heads):
    images = heads()
    masks = disk_masks(images)
    assert (images[masks] > 0).all() and masks.any((1, 2)).all() and masks.sum((1, 2)).max() <= np.pi * 20.5**2
    np.testing.assert_array_equal(masks, disk_masks(images)) and not np.array_equal(masks, disk_masks(images, 1))


def test_residuals_are_blind_in_the_middle_and_see_bright_disks(heads):
    images = heads()
    values = np.linspace(0, 1, 11)
    found = landscape(images, disk_masks(images), values, [0.2, 4.0]).ap
    assert found[:, 0].min() > 0.9  # an almost perfect reconstruction finds all
    assert found[values == 0.4, 1] < 0.25 and found[-1, 1] > 0.9
    assert found[:, 1].argmin() in range(3, 6)


def test_equalised_images_lose_the_advantage_of_bright_disks(heads):
    images = heads()
    even = np.stack([equalised(image) for image in images])
    inside = even[images > 0]
    assert abs(np.quantile(inside, 0.5) - 0.5) < 0.02 and inside.max() == 1 and not even[images == 0].any()
    values = np.linspace(0, 1, 11)
    before, after = (landscape(x, disk_masks(images), values, [4.0]).ap[:, 0] for x in (images, even))
    assert after[-1] < before[-1] - 0.1
    assert abs(after[1] - after[-2]) < 0.25 and after.argmin() in range(4, 7)  # as blind on either side


def test_textures_change_the_disk_alone(heads):
    image = heads(1)[0]
    (mask,) = disk_masks(image[None])
    rng = np.random.default_rng(0)
    for changed in (shuffled(image, mask, rng), source(image, mask), sink(image, mask)):
        np.testing.assert_array_equal(changed[~mask], image[~mask])
        assert (changed[mask] != image[mask]).mean() > 0.5
    np.testing.assert_array_equal(np.sort(shuffled(image, mask, rng)[mask]), np.sort(image[mask]))
    rows = np.broadcast_to(np.arange(64.0)[:, None], (64, 64))
    disk = (rows - 32) ** 2 + (rows.T - 32) ** 2 <= 400
    assert source(rows, disk)[42, 32] == 32 + round(10 * 0.25) and sink(rows, disk)[42, 32] == 42 + round(10 * 0.75)
