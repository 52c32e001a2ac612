"""Adaptive equalisation against a computation pixel by pixel."""

import numpy as np
import pytest

from medad.synthesis.clahe import BINS, equalised


def plain(grey: np.ndarray, clip: float) -> np.ndarray:
    side = len(grey) // 8
    levels = np.minimum(np.floor(grey * BINS), BINS - 1).astype(int)
    curves = {}
    for i in range(8):
        for j in range(8):
            tile = levels[i * side : (i + 1) * side, j * side : (j + 1) * side]
            counts = np.array([(tile == level).sum() for level in range(BINS)], float)
            limit = max(int(clip * tile.size), 1)
            excess = np.maximum(counts - limit, 0).sum()
            curves[i, j] = np.cumsum(np.minimum(counts, limit) + excess / BINS) / tile.size
    found = np.zeros(grey.shape)
    for row in range(len(grey)):
        for column in range(len(grey)):
            total = 0.0
            for i in range(8):
                for j in range(8):
                    far = [
                        abs(np.clip(place, side / 2 - 0.5, len(grey) - side / 2 - 0.5) - (k + 0.5) * side + 0.5) / side
                        for place, k in ((row, i), (column, j))
                    ]
                    if max(far) < 1:
                        total += (1 - far[0]) * (1 - far[1]) * curves[i, j][levels[row, column]]
            found[row, column] = total
    return (found - found.min()) / (found.max() - found.min())


@pytest.mark.parametrize("clip", [0.05, 1.0])
def test_pixel_by_pixel(clip):
    rng = np.random.default_rng(0)
    grey = np.clip(np.linspace(0.1, 0.8, 32)[:, None] + 0.1 * rng.standard_normal((32, 32)), 0, 1)
    np.testing.assert_allclose(equalised(grey, clip), plain(grey, clip), atol=1e-9)


def test_one_grey_becomes_black_and_others_take_the_whole_range():
    assert not equalised(np.full((64, 64), 0.7)).any()
    ramp = np.tile(np.linspace(0.4, 0.45, 64), (64, 1))
    found = equalised(ramp)
    assert found.min() == 0 and found.max() == 1
