"""Images whose background is exactly 0: what is not the head is nearly black, but rarely exactly so."""

import numpy as np
from scipy import ndimage

DARK = 0.1  # of white: compression and noise around a head stay below it
LEAST = 0.1  # share of an image that is background, at least
RULE = (
    f"The background is made exactly 0: the head is the largest connected region of pixels above {DARK:g} of white, "
    "with its holes filled, and what is inside stays as it is."
)


def head(image: np.ndarray) -> np.ndarray:
    """Return where the head is in an image (H, W) in [0, 1], ``bool``, by `RULE`; nowhere in a black image."""
    regions, count = ndimage.label(image > DARK)
    if not count:
        return np.zeros(image.shape, bool)
    largest = 1 + np.bincount(regions.ravel())[1:].argmax()
    return ndimage.binary_fill_holes(regions == largest)


def without_background(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Set all that is not the head to 0, in place.

    Parameters
    ----------
    images : ndarray
        (n, H, W) in [0, 1].

    Returns
    -------
    tuple of ndarray
        The images, and which of them have a head and around it a background, (n,) ``bool``.
    """
    sound = np.zeros(len(images), bool)
    for i, image in enumerate(images):
        inside = head(image)
        image[~inside] = 0
        sound[i] = inside.any() and inside.mean() <= 1 - LEAST
    return images, sound
