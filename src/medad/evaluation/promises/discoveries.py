"""Lists of which few entries are normal: p-values of many images at once."""

import numpy as np
from scipy import stats


def q_values(p: np.ndarray, normal_share: float = 1.0) -> np.ndarray:
    """Return the lowest false-discovery rate at which each image stands on the list (Benjamini and Hochberg).

    Of the images with q at most 0.1, at most one in ten is normal on average over lists, if the p-values are those of
    a calibration set with which the normal images of the list are exchangeable: such p-values depend on each other in
    a way that does no harm (Bates et al., Annals of Statistics 2023).

    Parameters
    ----------
    p : ndarray
        (n,) in (0, 1].
    normal_share : float
        Of the images of the list, where it is known to be at most so much; 1 takes nothing for granted.
    """
    return np.minimum(normal_share * stats.false_discovery_control(p, method="bh"), 1.0) if len(p) else np.zeros(0)


def expected_normal(q: np.ndarray, level: float) -> tuple[int, float]:
    """Return how many images are on the list at `level`, and how many of them are normal at most, on average."""
    listed = int((q <= level).sum())
    return listed, level * listed
