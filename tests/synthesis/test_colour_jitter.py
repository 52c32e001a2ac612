"""Jitter of colours: how far it goes, and around which mean."""

import pytest
import torch
from PIL import Image

from medad.synthesis.colour_jitter import jitter_colours, luminance


def test_luminance_is_pillows():
    torch.manual_seed(0)
    pixels = torch.randint(256, (1, 3, 8, 8), dtype=torch.uint8)
    expected = torch.tensor(list(Image.fromarray(pixels[0].movedim(0, -1).numpy()).convert("L").tobytes()))
    torch.testing.assert_close(luminance(pixels.float()).flatten(), expected.float(), atol=0.51, rtol=0)
    assert luminance(pixels[:, :1].float()).equal(pixels[:, :1].float())


@pytest.mark.parametrize("channels", [1, 3])
def test_values_stay_in_range_and_nothing_changes_without_strength(channels):
    torch.manual_seed(0)
    x = 2 * torch.rand(50, channels, 8, 8) - 1
    found = jitter_colours(x, 0.1)
    assert found.abs().max() <= 1
    assert (found - x).abs().amax((1, 2, 3)).min() > 0.02
    torch.testing.assert_close(jitter_colours(x, 0.0), x, atol=1e-5, rtol=0)
    assert jitter_colours(x, 0.0).shape == x.shape


def test_brightness_and_contrast_of_grey():
    torch.manual_seed(1)
    x = torch.tensor([-0.4, 0.0, 0.4]).view(1, 1, 1, 3).expand(3000, 1, 3, 3)
    light = (jitter_colours(x, 0.1)[:, 0, 0] + 1) / 2
    brightness = light[:, 1] / 0.5  # the mean, which contrast leaves
    contrast = (light[:, 2] - light[:, 0]) / 0.4 / brightness
    for factor in (brightness, contrast):
        assert 0.9 - 1e-5 <= factor.min() < 0.91
        assert 1.09 < factor.max() <= 1.1 + 1e-5
    assert torch.corrcoef(torch.stack([brightness, contrast]))[0, 1].abs() < 0.06


def test_contrast_changes_around_the_mean_of_what_is_inside():
    torch.manual_seed(2)
    x = torch.full((100, 1, 4, 4), 0.5)
    x[..., :2] = -0.5
    inside = torch.zeros(100, 1, 4, 4, dtype=torch.bool)
    inside[..., 2:] = True
    found = (jitter_colours(x, 0.1, inside) + 1) / 2
    brightness = found[:, 0, 0, 3] / 0.75  # a constant patch has no contrast
    assert brightness.min() >= 0.9 - 1e-5 and brightness.max() <= 1.1 + 1e-5
    outside = found[:, 0, 0, 0] / brightness
    assert ((outside - 0.75) / (0.25 - 0.75) - 1).abs().max() <= 0.1 + 1e-5


def test_hue_turns_grey_into_nothing_else():
    torch.manual_seed(3)
    x = (2 * torch.rand(20, 1, 4, 4) - 1).expand(-1, 3, -1, -1)
    found = jitter_colours(x, 0.3)
    torch.testing.assert_close(found, found[:, :1].expand_as(found), atol=1e-5, rtol=0)
