"""Where places of a stage lie: a bright pixel must light up where it stands."""

import numpy as np
import pytest
import torch
from torch import nn

from medad.detectors.features.extractors.places import enlarged
from medad.detectors.features.extractors.registry import make_extractor


def test_enlarging_keeps_means_of_middles():
    places = torch.rand(2, 1, 8, 8)
    np.testing.assert_allclose(enlarged(places, 64).mean((1, 2, 3)), places.mean((1, 2, 3)), rtol=1e-5)


@pytest.mark.parametrize("size", [8, 20, 32])
def test_corners_are_at_multiples_of_the_stride(size):
    ramp = torch.arange(4.0).expand(1, 1, 4, 4).clone()
    found = enlarged(ramp, size, centred=False)[0, 0, 0]
    expected = np.interp(np.arange(size) * 4 / size, np.arange(4), np.arange(4))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_after_odd_convolutions_places_lie_at_corners():
    sums = nn.Sequential(*(nn.Conv2d(1, 1, 5, 2, 2, bias=False) for _ in range(3)))
    for layer in sums:
        nn.init.constant_(layer.weight, 1 / 25)
    spot = torch.zeros(1, 1, 64, 64)
    spot[0, 0, 24, 40] = 1
    with torch.inference_mode():
        places = sums(spot)
    rows, columns = (enlarged(places, 64, centred=False)[0, 0].sum(axis) for axis in (1, 0))
    pixels = torch.arange(64.0)
    assert float((rows * pixels).sum() / rows.sum()) == pytest.approx(24, abs=0.1)
    assert float((columns * pixels).sum() / columns.sum()) == pytest.approx(40, abs=0.1)


def test_who_says_where_places_lie():
    centred = {name: make_extractor(name, {}).centred for name in ("efficientnet_lite0", "resnet18", "pixels")}
    assert centred == {"efficientnet_lite0": False, "resnet18": False, "pixels": True}
