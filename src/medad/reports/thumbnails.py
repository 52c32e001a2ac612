"""Small pictures, and names short enough to stand below them."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
from PIL import Image, ImageFont


def fit(picture: Image.Image, side: int) -> Image.Image:
    """Return `picture` in RGB, as large as a square of `side` pixels allows, and no side shorter than a pixel."""
    share = side / max(picture.size)
    width, height = (max(round(length * share), 1) for length in picture.size)
    return picture.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)


def side_by_side(pictures: Sequence[Image.Image], side: int, gap: int = 4) -> Image.Image:
    """Return `pictures` of one size next to each other, each fitted into a square of `side` pixels."""
    small = [fit(picture, side) for picture in pictures]
    step, height = small[0].width + gap, small[0].height
    row = Image.new("RGB", (step * len(small) - gap, height), "white")
    for i, picture in enumerate(small):
        row.paste(picture, (i * step, 0))
    return row


def font_of(size: float) -> ImageFont.FreeTypeFont:
    """Return the font that comes with matplotlib: unlike Pillow's own it has accents, Greek and Cyrillic."""
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", size)


def shorten(name: str, width: float, font: ImageFont.FreeTypeFont) -> str:
    """Return `name` no wider than `width` pixels: what is too much is left out of its middle."""
    plain = " ".join(name.encode("utf-8", "replace").decode().split())  # one line, and nothing that fonts cannot draw
    if font.getlength(plain) <= width:
        return plain
    for kept in range(min(len(plain), int(width)) - 1, 1, -1):
        short = f"{plain[: kept // 2]}…{plain[len(plain) - (kept + 1) // 2 :]}"
        if font.getlength(short) <= width:
            return short
    return "…"
