"""Borders and burned-in letters."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from medad.data.audit.groups import border
from medad.data.audit.marks import has_text, margin


def scan(height=200, width=240, seed=0):
    return np.random.default_rng(seed).uniform(10_000, 50_000, (height, width)).astype(np.float32)


def test_a_margin_is_told_edge_by_edge():
    grey = scan()
    grey[:20], grey[-40:] = 0, 65535
    assert margin(grey) == (0.1, 0.2, 0.0, 0.0)
    assert margin(grey.T) == (0.0, 0.0, 0.1, 0.2)


def test_noise_of_jpeg_is_a_margin_and_an_even_image_has_none():
    grey = scan()
    grey[:50] = np.random.default_rng(1).uniform(0, 1200, (50, 240))
    assert margin(grey) == (0.25, 0.0, 0.0, 0.0)
    assert margin(np.full((30, 30), 7.0)) == (0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(("share", "name"), [(0.0, "none"), (0.05, "narrow"), (0.2, "wide"), (0.4, "very wide")])
def test_borders_have_names(share, name):
    assert border((share / 2, share / 2, 0, 0)).startswith(name)


def smooth_scan(side):
    x, y = np.meshgrid(np.linspace(-1, 1, side), np.linspace(-1, 1, side))
    return (np.exp(-3 * (x**2 + y**2)) * 52_000).astype(np.float32)


@pytest.mark.parametrize(("side", "size"), [(256, 14), (512, 18), (2048, 60)])
def test_letters_are_seen_and_a_scan_without_has_none(side, size):
    grey = smooth_scan(side)
    assert not has_text(grey)
    picture = Image.fromarray((grey / 257).astype(np.uint8))
    ImageDraw.Draw(picture).text((side // 20, side // 20), "PORTABLE 12:45", 255, ImageFont.load_default(size))
    assert has_text(np.asarray(picture).astype(np.float32) * 257)


def test_bright_spots_and_noise_are_no_letters():
    grey = smooth_scan(256)
    grey[40:50, 40:50], grey[200:207, 90:97] = 65535, 65535  # a marker each
    assert not has_text(grey)
    assert not has_text(scan())
    assert not has_text(np.full((64, 64), 65535, np.float32))
