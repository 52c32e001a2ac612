"""Median filters against scipy's."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from medad.synthesis.median import disk_median, majority


@pytest.mark.parametrize("side", [3, 5, 7, 15])
@pytest.mark.parametrize("shape", [(1, 1), (2, 9), (40, 31)])
def test_majority_is_the_median_of_a_mask(side, shape):
    masks = np.random.default_rng(side).random((3, *shape)) < 0.5
    expected = [ndimage.median_filter(mask, size=side, mode="nearest") for mask in masks]
    np.testing.assert_array_equal(majority(torch.tensor(masks), side), expected)


@pytest.mark.parametrize("radius", [1, 5])
@pytest.mark.parametrize("shape", [(1, 1), (3, 8), (33, 20)])
def test_median_of_a_disk(radius, shape):
    rng = np.random.default_rng(radius)
    values, where = rng.random((3, *shape), dtype=np.float32), rng.random((3, *shape)) < 0.4
    where[1] = False
    at = np.arange(-radius, radius + 1)
    disk = at[:, None] ** 2 + at**2 <= radius**2
    expected = [ndimage.median_filter(value, footprint=disk, mode="nearest") for value in values]
    found = disk_median(torch.tensor(values), torch.tensor(where), radius)
    np.testing.assert_array_equal(found, np.where(where, expected, 0))
