"""Standardising descriptors."""

import numpy as np


def standard_of(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation, (D,) float64, of `rows` (n, D); that of a constant is infinite.

    What is standardised by them, a constant included, is finite and the latter has no say.
    """
    mean, scale = rows.mean(0, dtype=np.float64), rows.std(0, dtype=np.float64)
    scale[scale <= 1e-6 * np.maximum(np.abs(mean), 1e-6)] = np.inf
    return mean, scale
