"""Borders and burned-in letters: simple detectors, good for comparing lists, not for judging a single image."""

import numpy as np
from scipy import ndimage

WHITE = 65535
FLAT = 6 / 255 * WHITE  # grey levels that JPEG leaves in a border
LONGEST = 1024  # pixels: letters of larger images are looked for in every n-th
BRIGHT = 0.75 * WHITE  # thin letters are drawn in grey
LETTERS = 4  # of one height, on one line


def margin(grey: np.ndarray) -> tuple[float, float, float, float]:
    """Return how much of an image is flat from the top, bottom, left and right edge.

    Parameters
    ----------
    grey : ndarray
        (H, W), from 0 to 65535.

    Returns
    -------
    tuple of float
        Shares of the height, twice, and of the width; all 0 for an image that is flat throughout.
    """
    rows, columns = np.ptp(grey, axis=1) > FLAT, np.ptp(grey, axis=0) > FLAT
    if not rows.any() or not columns.any():
        return 0.0, 0.0, 0.0, 0.0
    flat = [int(lines.argmax()) / len(lines) for lines in (rows, rows[::-1], columns, columns[::-1])]
    return flat[0], flat[1], flat[2], flat[3]


def has_text(grey: np.ndarray) -> bool:
    """Return whether at least four bright shapes of a letter's form stand in a line.

    Parameters
    ----------
    grey : ndarray
        (H, W), from 0 to 65535.
    """
    step = -(-max(grey.shape) // LONGEST)
    bright = grey[::step, ::step] >= BRIGHT
    found = ndimage.find_objects(ndimage.label(bright, np.ones((3, 3)))[0])
    letters = sorted(filter(None, (_letter(bright, place) for place in found)))
    return _longest_line(letters) >= LETTERS


Letter = tuple[int, int, int, int]  # left, right, top, bottom


def _letter(bright: np.ndarray, place: tuple[slice, slice]) -> Letter | None:
    """Return where a shape lies if it is as high, wide and full as letters are."""
    (top, bottom), (left, right) = ((part.start, part.stop) for part in place)
    height, width = bottom - top, right - left
    if not (5 <= height <= max(0.08 * bright.shape[0], 12) and 1 <= width <= 1.6 * height):
        return None
    return (left, right, top, bottom) if 0.15 < bright[place].mean() < 0.95 or width < 0.3 * height else None


def _longest_line(letters: list[Letter]) -> int:
    """Return how many letters follow each other at most, from left to right, like in height and place."""
    chain: list[int] = []
    for i, (left, _, top, bottom) in enumerate(letters):
        height, longest = bottom - top, 0
        for j in range(max(i - 50, 0), i):
            _, end, upper, lower = letters[j]
            alike = abs(upper - top) + abs(lower - bottom) <= 0.5 * height
            if alike and 0 <= left - end <= 1.2 * height:
                longest = max(longest, chain[j])
        chain.append(longest + 1)
    return max(chain, default=0)
