"""What methods on places share: the grid, the filter, where their descriptors come from."""

import numpy as np
import torch
from helpers import make_images
from scipy.ndimage import gaussian_filter

from medad.detectors.features.dense import as_rows, on_one_grid, smoothed
from medad.detectors.features.extractors.pixels import PixelsExtractor
from medad.detectors.features.nearest_patch import NearestPatch
from medad.detectors.registry import make_detector


def test_the_filter_is_scipy_s():
    maps = torch.rand(2, 48, 48)
    expected = [gaussian_filter(m.double().numpy(), 3, mode="mirror", truncate=4) for m in maps]
    np.testing.assert_allclose(smoothed(maps, 3), expected, atol=1e-6)
    assert smoothed(maps, 0) is maps


def test_a_filtered_constant_is_itself():
    np.testing.assert_allclose(smoothed(torch.full((1, 32, 32), 5.0), 4), 5, rtol=1e-6)


def test_coarse_stages_are_laid_on_the_grid_of_the_finest():
    fine, coarse = torch.rand(2, 3, 8, 8), torch.arange(2.0).view(2, 1, 1, 1).expand(2, 5, 4, 4)
    found = on_one_grid([fine, coarse], PixelsExtractor())
    assert found.shape == (2, 8, 8, 8)
    assert (found[:, :3] == fine).all()
    assert (found[1, 3:] == 1).all()


def test_rows_are_places_in_order():
    described = torch.rand(2, 3, 4, 5)
    rows = as_rows(described)
    assert rows.shape == (40, 3)
    assert (rows[20 + 7] == described[1, :, 1, 2]).all()
    assert (as_rows(described)[:, 0].view(2, 4, 5) == described[:, 0]).all()


class Means(NearestPatch):
    """A method whose descriptors come from elsewhere."""

    @classmethod
    def reader(cls, plan):
        """Return what describes images."""
        return _means

    def describe(self, x):
        """Return the same for images to be scored."""
        return _means(x)


def _means(x):
    return torch.nn.functional.avg_pool2d(x, 8)


def test_descriptors_may_come_from_elsewhere():
    detector = Means(make_detector("nearest_patch", "tiny", extractor="pixels").options, device="cpu", jobs=1)
    normal = make_images(4, seed=1)
    (found,) = detector.fit(normal).predict(normal)
    assert detector.tensors_["nearest_patch/bank"].shape == (60, 1)
    assert found.maps["anomaly_map"].shape == (4, 64, 64)
