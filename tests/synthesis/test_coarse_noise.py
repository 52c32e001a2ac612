"""Coarse noise: its grid, its scale, its shifts, and the foreground that it is kept to."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from medad.synthesis.coarse_noise import coarse_noise, eroded, foreground


@pytest.mark.parametrize("size", [64, 128])
def test_noise_is_a_shifted_grid_with_straight_lines_between(size):
    torch.manual_seed(0)
    noise = coarse_noise(torch.zeros(1, 2, size, size))
    torch.manual_seed(0)
    grid = 0.2 * torch.randn(1, 2, 16, 16)
    down, right = torch.randint(size, (2, 1))[:, 0].tolist()
    at = np.arange(size) * 15 / (size - 1)
    for channel, points in zip(noise[0], grid[0], strict=True):
        plain = ndimage.map_coordinates(points.numpy(), np.meshgrid(at, at, indexing="ij"), order=1, mode="nearest")
        np.testing.assert_allclose(channel, np.roll(plain, (down, right), axis=(0, 1)), atol=1e-6)


def test_scale():
    torch.manual_seed(1)
    points = coarse_noise(torch.zeros(2000, 1, 16, 16))  # every pixel is a point of the grid
    assert abs(points.mean()) < 0.002
    assert abs(points.std() - 0.2) < 0.002


def test_a_batch_shares_a_shift_whatever_is_made_with_it():
    """Of an image, the border between its first and last row shows the shift: the grid ends there."""
    torch.manual_seed(2)
    noise = coarse_noise(torch.zeros(10, 8, 64, 64), together=4)
    jumps = [(noise - noise.roll(1, dims)).abs().mean(1) for dims in (-2, -1)]
    seams = torch.stack([jumps[0].mean(2).argmax(1), jumps[1].mean(1).argmax(1)], dim=1)
    for batch in seams.split(4):
        assert (batch == batch[0]).all()
    assert len(seams[::4].unique(dim=0)) == 3


def test_foreground_exceeds_the_minimum():
    x = torch.full((2, 3, 4, 4), -0.5)
    x[0, 1, 2, 3] = -0.47
    x[1, 0, 0, 0] = -0.49
    x[1, :2, 1, 1] = -0.489  # two channels together
    assert foreground(x, 0.01).nonzero().tolist() == [[0, 0, 2, 3], [1, 0, 1, 1]]
    assert foreground(x, 0.0).nonzero().tolist() == [[0, 0, 2, 3], [1, 0, 0, 0], [1, 0, 1, 1]]
    assert foreground(x, None).all()
    assert not foreground(torch.ones(1, 1, 4, 4), 0.0).any()


def test_erosion():
    mask = torch.rand(2, 1, 20, 20, generator=torch.Generator().manual_seed(3)) > 0.02
    expected = ndimage.binary_erosion(mask.numpy(), np.ones((1, 1, 5, 5)))  # 24 of 25 pixels are 0.96
    share = ndimage.uniform_filter(mask.double().numpy(), (1, 1, 5, 5), mode="constant")
    assert (expected <= eroded(mask).numpy()).all()
    np.testing.assert_array_equal(eroded(mask), share > 0.95)
