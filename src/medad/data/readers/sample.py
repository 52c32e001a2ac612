"""A few of many values, from which one range for many images is taken."""

from collections.abc import Callable
from math import gcd

import numpy as np

SIZE = 2**16  # the 0.1 percentile is then good to a hundredth
CHUNK = 2**20  # values that are looked at together


def sample(array: np.ndarray, convert: Callable[[np.ndarray], np.ndarray] = lambda values: values) -> np.ndarray:
    """Return values spread evenly over all axes of an array, with the lowest and the highest one.

    Parameters
    ----------
    array : ndarray
        Of one piece, in C or Fortran order.
    convert : callable
        Takes stored values to those that they mean.

    Returns
    -------
    ndarray
        About `SIZE` values, sorted, without those that are no number.
    """
    flat = array.reshape(-1, order="A")
    step = -(-array.size // SIZE)
    while any(gcd(step, length) > 1 for length in array.shape):  # else it would see a few columns only
        step += 1
    ends = [] if array.dtype.names else [convert(_ends(flat))]
    values = np.concatenate([np.ravel(part) for part in (convert(flat[::step]), *ends)])
    return np.sort(values[np.isfinite(values)])


def _ends(flat: np.ndarray) -> np.ndarray:
    """Return the lowest and the highest value that is a number, none if there is no number."""
    chunks = (flat[start : start + CHUNK] for start in range(0, flat.size, CHUNK))
    numbers = (chunk[np.isfinite(chunk)] if flat.dtype.kind == "f" else chunk for chunk in chunks)
    ends = [end for chunk in numbers if chunk.size for end in (chunk.min(), chunk.max())]
    return np.array([min(ends), max(ends)] if ends else [], flat.dtype)
