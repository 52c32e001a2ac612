"""Average precisions of many intensities at once against scikit-learn's, and what the paper found at a small size."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from sklearn.metrics import average_precision_score

from medad.experiments.reproduce.pitfalls.equalised import equalised
from medad.experiments.reproduce.pitfalls.landscape import landscape
from medad.synthesis.disks import disk_masks


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
