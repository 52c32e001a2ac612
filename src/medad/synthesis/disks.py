"""Disks in the foreground of images: where they lie, and what may be in them.

An image to be changed is (H, W) or (H, W, C); what does not lie under the mask stays as it is.
"""

from collections.abc import Callable

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter

RADIUS = 20  # pixels
Taken = Callable[[np.ndarray, np.ndarray], np.ndarray]  # offsets from the middle (n, 2), squared shares of the radius


def disk_masks(images: np.ndarray, seed: int = 0, radius: float = RADIUS) -> np.ndarray:
    """Return a disk in each image, cut off at its border and where it is background, (n, H, W) ``bool``.

    Parameters
    ----------
    images : ndarray
        (n, H, W), ``bool`` or background 0; each has a foreground.
    seed : int
        Of the places: the centre is any pixel of the foreground, the same for every radius.
    radius : float
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


def filled(image: np.ndarray, mask: np.ndarray, value: float) -> np.ndarray:
    """Return the image with one value under the mask."""
    changed = image.copy()
    changed[mask] = value
    return changed


def raised(image: np.ndarray, mask: np.ndarray, offset: float, soft: bool = False) -> np.ndarray:
    """Return the image, in [0, 1], brighter by `offset` under the mask; `soft`: less and less towards its edge."""
    weight = distance_transform_edt(mask) if soft else mask.astype(float)
    added = offset / weight.max() * weight.reshape(mask.shape + (1,) * (image.ndim - 2))
    return (image + added).clip(0, 1).astype(image.dtype)


def blurred(image: np.ndarray, mask: np.ndarray, radius: float = RADIUS) -> np.ndarray:
    """Return the image, under the mask after a Gaussian blur of half the radius."""
    changed = image.copy()
    changed[mask] = gaussian_filter(image, radius / 2, axes=(0, 1))[mask]
    return changed


def shuffled(image: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the image with the pixels under the mask in another order."""
    changed = image.copy()
    changed[mask] = rng.permutation(image[mask])
    return changed


def source(image: np.ndarray, mask: np.ndarray, radius: float = RADIUS) -> np.ndarray:
    """Return the image pushed out from the middle of the mask: the middle is magnified."""
    return _moved(image, mask, lambda away, share: share * away, radius)


def sink(image: np.ndarray, mask: np.ndarray, radius: float = RADIUS) -> np.ndarray:
    """Return the image drawn into the middle of the mask: what is around comes closer."""
    return _moved(image, mask, lambda away, share: away + (1 - share) * away, radius)


def _moved(image: np.ndarray, mask: np.ndarray, taken_from: Taken, radius: float) -> np.ndarray:
    """Return the image with each pixel under the mask taken from elsewhere, given how far it is from the middle."""
    places = np.argwhere(mask)
    centre = places.mean(0).round()
    away = places - centre
    share = (np.linalg.norm(away, axis=1, keepdims=True) / radius) ** 2
    last = np.array(mask.shape) - 1
    origin = (centre + taken_from(away, share)).round().clip(0, last).astype(int)
    changed = image.copy()
    changed[mask] = image[tuple(origin.T)]
    return changed
