"""Crops: what they keep, how far they turn, and the way back."""

import pytest
import torch

from medad.detectors.synthetic.crops import centre_crop, cropped_side, padded, turned_crop


@pytest.mark.parametrize(("size", "side"), [(64, 56), (128, 112), (224, 196), (256, 224)])
def test_sides(size, side):
    x = torch.rand(2, 3, size, size)
    assert cropped_side(size) == side
    assert centre_crop(x).shape == turned_crop(x).shape == (2, 3, side, side)


def test_the_way_back():
    x = torch.rand(2, 1, 64, 64)
    back = padded(centre_crop(x)[:, 0], 64)
    assert torch.equal(back[:, 4:60, 4:60], x[:, 0, 4:60, 4:60])
    back[:, 4:60, 4:60] = 0
    assert not back.any()


def test_nothing_is_turned_or_shifted_further_than_said():
    """Images of coordinates tell where each pixel was taken from."""
    size, n = 256, 64
    at = torch.arange(size) + 0.5 - size / 2
    x = torch.stack(torch.meshgrid(at, at, indexing="ij")).expand(n, 2, size, size)
    torch.manual_seed(0)
    found = turned_crop(x)
    middle = found[:, :, 111:113, 111:113].mean((2, 3))
    assert middle.abs().max() <= 3 + 0.5 and middle.std() > 1
    along = found[:, :, 112, -1] - found[:, :, 112, 0]
    angle = torch.atan2(along[:, 0], along[:, 1]).rad2deg()
    assert angle.abs().max() < 3.3 and angle.std() == pytest.approx(3 / 3**0.5, rel=0.2)
    assert along.norm(dim=1).sub(223).abs().max() < 1.5  # nothing is enlarged
    assert found.abs().max() <= at.max()
    assert (found[:, :, 0, 0] != 0).all()  # no place outside the image


def test_every_image_has_a_turn_of_its_own():
    x = torch.rand(1, 1, 64, 64).expand(3, 1, 64, 64)
    one, two, three = turned_crop(x)
    assert not torch.equal(one, two) and not torch.equal(two, three)
