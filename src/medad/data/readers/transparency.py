"""Pixels that let the background shine through, which is black here."""

import numpy as np

ON_BLACK = "transparent pixels were laid on black"
ROWS = 64


def on_black(planes: np.ndarray, white: float) -> tuple[np.ndarray, tuple[str, ...]]:
    """Lay an image on black.

    Parameters
    ----------
    planes : ndarray
        (H, W, C + 1): grey or RGB, and the opacity from 0 to `white`.
    white : float
        The value of a pixel that lets nothing through.

    Returns
    -------
    pixels : ndarray
        (H, W) or (H, W, 3), of the same type.
    remarks : tuple of str
        What was done, if it made a difference.
    """
    colours, opacity = planes[..., :-1], planes[..., -1:]
    if colours.shape[2] == 1:
        colours, opacity = colours[..., 0], opacity[..., 0]
    if (opacity >= white).all():
        return colours, ()
    laid = np.empty(colours.shape, colours.dtype)
    for start in range(0, len(laid), ROWS):  # a few at a time, as floating-point numbers take eight times the room
        rows = slice(start, start + ROWS)
        values = colours[rows] * (opacity[rows] / white)
        laid[rows] = np.rint(values) if colours.dtype.kind in "iu" else values
    return laid, (ON_BLACK,)
