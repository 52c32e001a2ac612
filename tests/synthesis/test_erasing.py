"""One square of each image is erased, nothing else."""

import pytest
import torch

from medad.synthesis.erasing import erase_square


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


def test_the_images_given_are_left_alone():
    x = torch.zeros(2, 1, 16, 16)
    erase_square(x, 0.1, value=0.5)
    assert (x == 0).all()
