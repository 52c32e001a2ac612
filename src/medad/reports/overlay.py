"""Heat maps blended on images at their native size, and a contact sheet of them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from PIL import Image, ImageDraw

from medad.files import replacing
from medad.reports.thumbnails import fit, font_of, shorten

_OPACITY = 0.65
_SHOWN = 200
_GAP, _LINE, _HEADER = 6, 15, 26
_CAPTION = 2 * _LINE


def overlay(image: np.ndarray, anomaly_map: np.ndarray, low: float, high: float) -> Image.Image:
    """Blend a heat map on an image; the higher the map, the warmer and the more opaque.

    Parameters
    ----------
    image : ndarray
        (H, W) or (H, W, 3), ``uint8``, or ``uint16``, which is stretched from its own minimum to maximum.
    anomaly_map : ndarray
        (h, w), resized bilinearly to the size of the image.
    low, high : float
        Map values that stand for no colour and full colour; use one pair for all images of a set.

    Returns
    -------
    PIL.Image.Image
        RGB, H x W.
    """
    base = shown(image)
    field = Image.fromarray(np.asarray(anomaly_map, dtype=np.float32))
    resized = np.asarray(field.resize(base.size, Image.Resampling.BILINEAR))
    unit = np.clip((resized - low) / (high - low if high > low else 1), 0, 1)
    table = (colormaps["inferno"](np.arange(256))[:, :3] * 255).round().astype(np.uint8)
    heat = Image.fromarray(table[(unit * 255).astype(np.uint8)])
    return Image.composite(heat, base, Image.fromarray((unit * (255 * _OPACITY)).astype(np.uint8)))


def shown(image: np.ndarray) -> Image.Image:
    """Return an image, as :func:`overlay` takes it, in RGB at its own size."""
    return Image.fromarray(_eight_bit(image)).convert("RGB")


def _eight_bit(image: np.ndarray) -> np.ndarray:
    if image.dtype == np.uint8:
        return image
    # The full range of 16 bits would show a 12-bit image black.
    low, high = int(image.min()), int(image.max())
    return ((image - np.float32(low)) * np.float32(255 / max(high - low, 1))).astype(np.uint8)


def contact_sheet(
    pictures: Sequence[Path],
    names: Sequence[str],
    scores: Sequence[float] | np.ndarray,
    path: Path,
    columns: int = 8,
    thumb: int = 160,
) -> Path:
    """Write one picture of the images with the highest scores, the most abnormal first.

    At most 200 images are shown, which the picture says; no other file is opened.

    Parameters
    ----------
    pictures : sequence of Path
        One file per image, in the order of `scores`.
    names : sequence of str
        What stands below them; long ones are shortened in the middle.
    scores : sequence of float
        (n,) anomaly scores.
    path : Path
        The PNG to write, whole or not at all.
    columns, thumb : int
        Pictures in a row and their largest side in pixels.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    ValueError
        If there is no picture, or not one, and a name, per score.
    """
    if not 0 < len(pictures) == len(names) == len(scores):
        counts = f"{len(pictures)}, {len(names)}, {len(scores)}"
        raise ValueError(f"a contact sheet needs a name and a score for each of its pictures: {counts}")
    order = np.argsort(-np.asarray(scores, dtype=float), kind="stable")[:_SHOWN]
    columns = min(columns, len(order))
    width, height = thumb + _GAP, thumb + _CAPTION + _GAP
    size = (max(columns * width + _GAP, 320), -(-len(order) // columns) * height + _HEADER + _GAP)
    page = Image.new("RGB", size, "white")
    shown = f"{len(order)} of {len(scores)} images" if len(order) < len(scores) else f"{len(order)} images"
    header = f"{shown}, the most abnormal first: rank, score and name"
    ImageDraw.Draw(page).text((_GAP, 6), header, "black", font_of(12))
    for rank, item in enumerate(order):
        row, column = divmod(rank, columns)
        with Image.open(pictures[item]) as picture:
            cell = _cell(picture, thumb, f"{rank + 1}   {scores[item]:.4g}", names[item])
        page.paste(cell, (_GAP + column * width, _HEADER + row * height))
    with replacing(path) as partial:
        page.save(partial, "PNG")
    return path


def _cell(picture: Image.Image, thumb: int, caption: str, name: str) -> Image.Image:
    """Return a thumbnail, centred, above its caption and its name."""
    cell = Image.new("RGB", (thumb, thumb + _CAPTION), "white")
    small = fit(picture, thumb)
    cell.paste(small, ((thumb - small.width) // 2, (thumb - small.height) // 2))
    font = font_of(10.5)
    for i, line in enumerate([caption, shorten(name, thumb, font)]):
        ImageDraw.Draw(cell).text((0, thumb + i * _LINE), line, "black", font)
    return cell
