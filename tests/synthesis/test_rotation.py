"""Turning images against scipy and by right angles."""

import pytest
import torch
from scipy import ndimage

from medad.synthesis.rotation import random_degrees, rotated


def test_right_angles_are_exact():
    x = torch.rand(2, 3, 16, 16)
    for k in range(4):
        found = rotated(x, torch.tensor([90.0 * k] * 2), fill=-1.0)
        torch.testing.assert_close(found, torch.rot90(x, k, (2, 3)), atol=1e-5, rtol=0)


def test_as_scipy_does_away_from_the_border():
    torch.manual_seed(0)
    x = torch.rand(2, 1, 32, 32)
    degrees = torch.tensor([33.0, -70.0])
    for image, angle, found in zip(x, degrees, rotated(x, degrees, fill=-1.0), strict=True):
        expected = torch.from_numpy(ndimage.rotate(image[0].numpy(), float(angle), order=1, reshape=False, cval=-1.0))
        inside = (torch.arange(32) - 15.5).square()
        inside = inside[:, None] + inside < 14**2
        torch.testing.assert_close(found[0][inside], expected[inside], atol=1e-3, rtol=0)
        assert found[0, 0, 0] == pytest.approx(-1)


def test_angles_are_uniform():
    torch.manual_seed(1)
    found = random_degrees(10_000, 90, torch.device("cpu"))
    assert found.abs().max() <= 90 and abs(found.mean()) < 2 and abs(found.std() - 180 / 12**0.5) < 1
