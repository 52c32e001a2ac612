"""Hue, saturation and value against the standard library."""

import colorsys

import torch

from medad.synthesis.hsv import from_hsv, to_hsv


def test_as_the_standard_library_has_it_and_back():
    torch.manual_seed(0)
    corners = torch.cartesian_prod(*[torch.tensor([0.0, 0.5, 1.0])] * 3)
    rgb = torch.cat([corners, torch.rand(200, 3)])
    x = rgb[:, :, None, None]
    found = to_hsv(x)
    expected = torch.tensor([colorsys.rgb_to_hsv(*colour) for colour in rgb.tolist()])
    torch.testing.assert_close(torch.stack(found, 1)[..., 0, 0], expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(from_hsv(*found), x, atol=1e-5, rtol=0)


def test_whole_turns_do_not_count():
    hue, saturation, value = torch.rand(3, 4, 2, 2)
    torch.testing.assert_close(from_hsv(hue, saturation, value), from_hsv(hue - 1, saturation, value))
