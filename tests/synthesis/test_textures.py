"""Textures made from nothing: their range, and what each pattern is known by."""

import numpy as np
import pytest
import torch

from medad.synthesis.textures import (
    PATTERNS,
    dead_leaves,
    gabor_noise,
    power_law_noise,
    procedural_textures,
    stripes,
    worley,
)

CPU = torch.device("cpu")


@pytest.mark.parametrize("size", [32, 64, 96])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_have_their_range_and_are_never_flat_nor_alike(pattern, size):
    torch.manual_seed(0)
    found = pattern(6, size, CPU)
    assert found.shape == (6, size, size) and found.dtype == torch.float32
    assert found.min() >= 0 and found.max() <= 1
    assert found.std((1, 2)).min() > 0.02
    assert len({x.numpy().tobytes() for x in found}) == 6
    torch.manual_seed(0)
    assert torch.equal(pattern(6, size, CPU), found)


def test_power_falls_with_frequency():
    torch.manual_seed(1)
    slopes = []
    for x in power_law_noise(40, 128, CPU).double().numpy():
        power = np.abs(np.fft.fft2(x)) ** 2
        at = np.hypot(*np.meshgrid(np.fft.fftfreq(128), np.fft.fftfreq(128)))
        used = (at > 0.02) & (at < 0.4)
        slopes.append(-np.polyfit(np.log(at[used]), np.log(power[used]), 1)[0])
    assert 0.4 < min(slopes) < 1 and 2.4 < max(slopes) < 3.1


def test_worley_is_the_distance_from_the_nearest_point():
    torch.manual_seed(2)
    for x in worley(5, 64, CPU).double():
        down, right = (x.diff(dim=axis).abs() for axis in (0, 1))
        steepest = torch.sqrt(down[:, :-1] ** 2 + right[:-1] ** 2)
        assert steepest.median() > 0.6 * steepest.max()  # of slope one nearly everywhere


def test_gabor_noise_has_one_direction():
    torch.manual_seed(3)
    for x in gabor_noise(20, 64, CPU).double():
        power = torch.fft.fft2(x - x.mean()).abs().square()
        strongest = power.flatten().argsort(descending=True)[:6]
        rows, columns = (torch.fft.fftfreq(64)[k] for k in (strongest // 64, strongest % 64))
        angles = torch.remainder(torch.atan2(rows, columns), torch.pi)
        spread = torch.stack([(2 * angles).cos(), (2 * angles).sin()]).mean(1).norm()
        assert spread > 0.6


def test_leaves_are_disks_of_one_grey():
    torch.manual_seed(4)
    (x,) = dead_leaves(1, 128, CPU)
    values, counts = x.unique(return_counts=True)
    assert 20 < len(values) <= 151
    assert counts.max() > 100


def test_stripes_are_black_and_white():
    torch.manual_seed(5)
    found = stripes(20, 64, CPU)
    assert set(found.unique().tolist()) == {0, 1}
    assert abs(found.mean() - 0.5) < 0.1


@pytest.mark.parametrize("channels", [1, 3])
def test_textures_lie_between_two_colours(channels):
    torch.manual_seed(6)
    found = procedural_textures(40, channels, 64, CPU)
    assert found.shape == (40, channels, 64, 64)
    assert found.min() >= 0 and found.max() <= 1
    assert found.mean((1, 2, 3)).std() > 0.1
    if channels == 3:
        for texture in found.double():
            points = texture.flatten(1) - texture.flatten(1).mean(1, keepdim=True)
            values = torch.linalg.svdvals(points)
            assert values[1] < 1e-4 * values[0]
