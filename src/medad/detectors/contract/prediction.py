"""What a detector says about images."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Prediction:
    """What a detector says about a batch of n images.

    Attributes
    ----------
    ids : tuple of str
        The images.
    scores : dict
        (n,) ``float64`` arrays, higher = more abnormal; ``pred_score`` always among them.
    maps : dict
        (n, S, S) ``float32`` arrays, ``anomaly_map`` among them; empty for methods without maps.
    pred_label : ndarray or None
        (n,) ``int8``, 1 where ``pred_score`` reaches the threshold; None without a threshold.
    """

    ids: tuple[str, ...]
    scores: dict[str, np.ndarray]
    maps: dict[str, np.ndarray]
    pred_label: np.ndarray | None = None
