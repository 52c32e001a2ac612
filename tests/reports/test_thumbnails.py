"""Thumbnails fit, and long names keep both their ends."""

import numpy as np
import pytest
from PIL import Image

from medad.reports.thumbnails import fit, font_of, shorten, side_by_side


@pytest.mark.parametrize(
    ("size", "small"), [((100, 50), (20, 10)), ((5, 10), (10, 20)), ((4000, 1), (20, 1)), ((1, 4000), (1, 20))]
)
def test_pictures_keep_their_shape(size, small):
    assert fit(Image.new("L", size, 70), 20).size == small


def test_pictures_stand_side_by_side():
    row = np.asarray(side_by_side([Image.new("RGB", (8, 4), colour) for colour in ("red", "blue")], 16))
    assert row.shape == (8, 16 + 4 + 16, 3)
    assert (row[:, :16] == (255, 0, 0)).all() and (row[:, 20:] == (0, 0, 255)).all() and (row[:, 16:20] == 255).all()


def test_names_are_shortened_in_the_middle():
    font = font_of(11)
    assert shorten("a.png", 160, font) == "a.png"
    for name in ("archive/" + "x" * 3000 + "_0084.png", "i" * 500, "W" * 40, "\udcff\n" * 200):
        short = shorten(name, 160, font)
        start, end = short.split("…")
        assert font.getlength(short) <= 160 < font.getlength(f"{start}WW…{end}")
        if name.isascii() and "\n" not in name:
            assert name.startswith(start) and name.endswith(end) and abs(len(start) - len(end)) <= 1
    assert shorten("anything", 3, font) == "…"


def test_names_of_many_languages_can_be_read():
    """No letter is drawn as the box that stands for unknown ones."""
    font, unknown = font_of(11), bytes(font_of(11).getmask("\U0010fffd"))
    assert all(bytes(font.getmask(letter)) != unknown for letter in "üßéłşøАжω…")
