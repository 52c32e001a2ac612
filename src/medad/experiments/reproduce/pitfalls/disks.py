"""Disks in the foreground of images: where they lie, and what may be in them."""

from collections.abc import Callable

import numpy as np

RADIUS = 20  # pixels
Taken = Callable[[np.ndarray, np.ndarray], np.ndarray]  # offsets from the middle (n, 2), squared shares of the radius


def disk_masks(images: np.ndarray, seed: int = 0, radius: int = RADIUS) -> np.ndarray:
    """Return a disk in each image, cut off at its border and where it is background, (n, H, W) ``bool``.

    Parameters
    ----------
    images : ndarray
        (n, H, W), background 0; each has a foreground.
    seed : int
        Of the places: the centre is any pixel of the foreground.
    radius : int
        In pixels.
    """
    rng = np.random.default_rng(seed)
    masks = np.zeros(images.shape, bool)
    rows, columns = np.ogrid[: images.shape[1], : images.shape[2]]
    for image, mask in zip(images, masks, strict=True):
        inside = np.argwhere(image > 0)
        row, column = inside[rng.integers(len(inside))]
        mask[:] = ((rows - row) ** 2 + (columns - column) ** 2 <= radius**2) & (image > 0)
    return masks


def equalised(image: np.ndarray, bins: int = 256) -> np.ndarray:
    """Return an image (H, W) whose foreground has an even histogram, in [0, 1]; the background stays 0."""
    inside = image > 0
    counts, edges = np.histogram(image[inside], bins)
    shares = counts.cumsum() / inside.sum()
    return np.where(inside, np.interp(image, (edges[:-1] + edges[1:]) / 2, shares), 0.0)


def shuffled(image: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the image with the pixels under the mask in another order."""
    changed = image.copy()
    changed[mask] = rng.permutation(image[mask])
    return changed


def source(image: np.ndarray, mask: np.ndarray, radius: int = RADIUS) -> np.ndarray:
    """Return the image pushed out from the middle of the mask: the middle is magnified."""
    return _moved(image, mask, lambda away, share: share * away, radius)


def sink(image: np.ndarray, mask: np.ndarray, radius: int = RADIUS) -> np.ndarray:
    """Return the image drawn into the middle of the mask: what is around comes closer."""
    return _moved(image, mask, lambda away, share: away + (1 - share) * away, radius)


def _moved(image: np.ndarray, mask: np.ndarray, taken_from: Taken, radius: int) -> np.ndarray:
    """Return the image with each pixel under the mask taken from elsewhere, given how far it is from the middle."""
    places = np.argwhere(mask)
    centre = places.mean(0).round()
    away = places - centre
    share = (np.linalg.norm(away, axis=1, keepdims=True) / radius) ** 2
    last = np.array(image.shape) - 1
    origin = (centre + taken_from(away, share)).round().clip(0, last).astype(int)
    changed = image.copy()
    changed[mask] = image[tuple(origin.T)]
    return changed
