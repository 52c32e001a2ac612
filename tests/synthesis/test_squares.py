"""Overwritten and erased squares: how many, how large, where, and with what."""

import pytest
import torch

from medad.synthesis.squares import erase_square, overwrite_squares


def one_square(count: int, size: int, seed: int) -> torch.Tensor:
    """Return images with at most one square, zero elsewhere."""
    torch.manual_seed(seed)
    return overwrite_squares(torch.zeros(count, 2, size, size), most=1)


def test_a_square_is_a_square_of_one_value():
    for image in one_square(100, 32, 0):
        assert torch.equal(image[0], image[1])
        inside = image[0].nonzero()
        if len(inside):
            height, width = (inside.amax(0) - inside.amin(0) + 1).tolist()
            assert height == width
            assert len(inside) == height * width
            assert image[0][image[0] != 0].unique().numel() == 1


def test_sizes_places_and_values():
    images = one_square(4000, 16, 1)[:, 0]
    sides = images.ne(0).any(1).sum(1)
    assert sides.max() == 7  # below S / 2
    drawn = sides[sides > 0].bincount(minlength=8)[1:]
    assert drawn.min() > 0.8 * drawn.float().mean()
    largest = images[sides == 7].ne(0)
    for dim in (1, 2):
        starts = largest.any(dim).int().argmax(1).bincount()
        assert len(starts) == 16 - 7 + 1  # from border to border
        assert starts.min() > 0.5 * starts.float().mean()
    values = images.flatten(1).amax(1) + images.flatten(1).amin(1)
    values = values[values != 0]
    assert -1 <= values.min() < -0.99
    assert 0.99 < values.max() <= 1
    assert abs(values.mean()) < 0.05


def test_none_to_two_squares_of_the_same_size():
    torch.manual_seed(2)
    images = overwrite_squares(torch.full((6000, 1, 64, 64), 5.0))[:, 0]
    values = [image[image < 2].unique() for image in images]
    counts = torch.tensor([len(v) for v in values])
    assert counts.max() == 2
    assert abs((counts == 0).float().mean() - (1 / 3 + 2 / 3 / 32)) < 0.03  # one side in 32 is zero
    two = [(image == value).sum() for image, v in zip(images, values, strict=True) if len(v) == 2 for value in v]
    first, second = torch.stack(two).view(-1, 2).unbind(1)
    hidden = (first != second).float().mean()  # where squares overlap, one shows in part
    assert 0 < hidden < 0.6


def test_the_images_themselves_are_left_alone():
    x = torch.zeros(50, 1, 16, 16)
    overwrite_squares(x)
    assert not x.any()


@pytest.mark.parametrize(("size", "side"), [(64, 10), (128, 20), (256, 40)])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_square_of_the_share_is_black_and_the_rest_as_it_was(size, side, channels):
    torch.manual_seed(0)
    x = torch.rand(20, channels, size, size)
    found = erase_square(x, 0.024)
    erased = found == -1
    assert torch.equal(found[~erased], x[~erased])
    assert torch.equal(erased, erased[:, :1].expand_as(erased))
    rows, columns = erased[:, 0].any(2), erased[:, 0].any(1)
    assert torch.equal(erased[:, 0], rows[:, :, None] & columns[:, None, :])
    for inside in (rows, columns):
        assert (inside.sum(1) == side).all()
        assert (inside.int().diff(dim=1).abs().sum(1) <= 2).all()  # in one piece


def test_every_place_is_hit_and_images_differ():
    torch.manual_seed(0)
    erased = erase_square(torch.zeros(6000, 1, 8, 8), 0.25)[:, 0] == -1  # 4 x 4: 5 x 5 places
    starts = [tuple(mask.nonzero()[0].tolist()) for mask in erased]
    counts = torch.tensor([starts.count((row, column)) for row in range(5) for column in range(5)])
    assert counts.sum() == 6000
    assert (counts - 240).abs().max() < 6 * 240**0.5


def test_the_images_given_to_erase_are_left_alone():
    x = torch.zeros(2, 1, 16, 16)
    erase_square(x, 0.1, value=0.5)
    assert (x == 0).all()
