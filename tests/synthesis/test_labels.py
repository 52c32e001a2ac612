"""Labels against their definition, computed with scipy image by image."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from medad.errors import OptionError
from medad.synthesis.labels import KINDS, blend_factors, make_labels
from medad.synthesis.registry import make_synthesis

AT = np.arange(-5, 6)
DISK = AT[:, None] ** 2 + AT**2 <= 25


def expected_label(kind, before, after, mask, factor):
    """Follow the definition in grey levels, for (C, S, S) in [0, 255]."""
    difference = np.abs(before - after).mean(0)
    changed = ndimage.median_filter(mask & (difference > 1), size=5, mode="nearest") & mask
    intensity = ndimage.median_filter(difference * changed, footprint=DISK, mode="nearest") * changed
    return {
        "binary": changed,
        "continuous": factor * changed,
        "intensity": intensity,
        "logistic": changed / (1 + np.exp(-0.5 * (intensity - 4))),
    }[kind]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channels", [1, 3])
def test_kinds(kind, channels):
    rng = np.random.default_rng(0)
    before = rng.integers(0, 256, (3, channels, 40, 40)).astype(float)
    change = ndimage.gaussian_filter(rng.standard_normal(before.shape), (0, 0, 3, 3)) * 100
    masks = np.zeros((3, 40, 40), dtype=bool)
    masks[0, 5:25, 10:40] = masks[1, 30:, :20] = masks[1, 20:35, 15:30] = True
    after = np.clip(before + change * masks[:, None], 0, 255)
    factors = torch.tensor([0.2, 0.5, 0.9]).view(3, 1, 1, 1)
    unit = [torch.tensor(x / 127.5 - 1, dtype=torch.float32) for x in (before, after)]
    found = make_labels(kind, *unit, torch.tensor(masks), factors)
    assert found.dtype == torch.float32 and not found[2].any()
    for i in range(3):
        expected = expected_label(kind, before[i], after[i], masks[i], factors[i].item())
        np.testing.assert_allclose(found[i], expected, atol=1e-3)


def test_one_grey_level_is_no_change():
    x = torch.zeros(1, 1, 16, 16)
    mask = torch.ones(1, 16, 16, dtype=torch.bool)
    assert not make_labels("binary", x, x + 0.99 * 2 / 255, mask).any()
    assert make_labels("binary", x, x + 1.01 * 2 / 255, mask).all()
    assert not make_labels("binary", x, x + 1, torch.zeros_like(mask)).any()


def test_blend_factors():
    torch.manual_seed(0)
    factors = blend_factors(torch.zeros(5000, 1, 1, 1))
    assert factors.shape == (5000, 1, 1, 1)
    assert 0.05 <= factors.min() < 0.06 and 0.94 < factors.max() <= 0.95
    assert abs(factors.mean() - 0.5) < 0.02


def test_a_synthesis_refuses_what_it_cannot_label():
    with pytest.raises(OptionError, match="label='continuous': choose from logistic, binary, intensity"):
        make_synthesis("nsa", "continuous")
    with pytest.raises(OptionError, match="synthesis='nsaa': .*did you mean nsa"):
        make_synthesis("nsaa")
