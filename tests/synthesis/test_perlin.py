"""Perlin noise against a computation pixel by pixel, and DRAEM's masks."""

import math

import pytest
import torch

from medad.synthesis.perlin import perlin_masks, perlin_noise

CPU = torch.device("cpu")


def plain(angle: torch.Tensor, cells: tuple[int, int], size: int) -> torch.Tensor:
    found = torch.zeros(size, size, dtype=torch.float64)
    fade = lambda t: 6 * t**5 - 15 * t**4 + 10 * t**3  # noqa: E731
    for row in range(size):
        for column in range(size):
            y, x = row * cells[0] / size, column * cells[1] / size
            i, j = int(y), int(x)
            total = 0.0
            for down in (0, 1):
                for right in (0, 1):
                    a = float(angle[i + down, j + right])
                    slope = math.cos(a) * (y - i - down) + math.sin(a) * (x - j - right)
                    of_row = fade(y - i) if down else 1 - fade(y - i)
                    of_column = fade(x - j) if right else 1 - fade(x - j)
                    total += of_row * of_column * slope
            found[row, column] = math.sqrt(2) * total
    return found


def test_pixel_by_pixel():
    cells = torch.tensor([[1, 4, 32, 8], [2, 4, 32, 1]])
    torch.manual_seed(0)
    found = perlin_noise(cells, 48)
    torch.manual_seed(0)
    angle = 2 * math.pi * torch.rand(4, 33, 33)
    for k in range(4):
        expected = plain(angle[k], tuple(cells[:, k].tolist()), 48)
        torch.testing.assert_close(found[k].double(), expected, atol=1e-5, rtol=0)


def test_it_is_zero_at_the_corners_of_cells_and_of_no_other_range():
    torch.manual_seed(1)
    noise = perlin_noise(torch.full((2, 50), 8), 64)
    assert noise[:, ::8, ::8].abs().max() < 1e-6
    assert 0.7 < noise.abs().max() <= 1
    assert abs(noise.mean()) < 0.02


@pytest.mark.parametrize("size", [32, 64, 256])
def test_masks_are_small_and_some_are_empty(size):
    torch.manual_seed(2)
    masks = perlin_masks(100, size, CPU)
    assert masks.shape == (100, size, size) and masks.dtype == torch.bool
    shares = masks.float().mean((1, 2))
    assert 0.005 < shares.mean() < 0.15 and shares.max() < 0.5
    assert 0 < (shares == 0).float().mean() < 0.5
