"""An image as it is shown: at its own size, in grey levels."""

from pathlib import Path

import numpy as np

from medad.data.intensity import DEFAULT, Intensity
from medad.data.readers import decode


def read_image(path: Path, frame: int | None = None, intensity: str = DEFAULT) -> np.ndarray:
    """Read one image.

    Parameters
    ----------
    path, frame
        See :func:`medad.data.readers.decode`.
    intensity : str
        See :class:`medad.data.intensity.Intensity`.

    Returns
    -------
    ndarray
        ``uint8`` or ``uint16``, (H, W) or (H, W, 3).

    Raises
    ------
    UnreadableImage
        And nothing else, whatever the file holds.
    """
    return Intensity.parse(intensity)(decode(path, frame))[0]
