"""Filters of anomaly maps against scipy's."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from medad.networks.filters import gaussian_filter, median_filter

MAPS = torch.rand(2, 3, 12, 9, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("size", "window"), [(1, 1), (5, 5), (8, 7), (21, 21)])
def test_gaussian(size, window):
    y, x = np.mgrid[:window, :window] - window // 2
    kernel = np.exp(-(x**2 + y**2) / (2 * 3.0**2))
    expected = ndimage.correlate(MAPS.numpy(), (kernel / kernel.sum())[None, None], mode="constant")
    np.testing.assert_allclose(gaussian_filter(MAPS, size).numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("size", [1, 3, 5])
def test_median(size):
    expected = ndimage.median_filter(MAPS.numpy(), (1, 1, size, size), mode="mirror")
    np.testing.assert_array_equal(median_filter(MAPS, size).numpy(), expected)
