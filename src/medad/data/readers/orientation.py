"""How a camera was held: from pixels as they are stored to pixels as every viewer shows them."""

from collections.abc import Callable

import numpy as np

TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {  # EXIF 2.3, tag Orientation; 1 is upright
    2: np.fliplr,
    3: lambda array: array[::-1, ::-1],
    4: np.flipud,
    5: lambda array: array.swapaxes(0, 1),
    6: lambda array: np.rot90(array, -1),
    7: lambda array: np.rot90(array, 2).swapaxes(0, 1),
    8: np.rot90,
}


def turn(array: np.ndarray, orientation: int) -> np.ndarray:
    """Return an array (H, W, ...) as EXIF's `orientation` wants it shown; as it is for 1 and what is none."""
    return np.ascontiguousarray(TURNS[orientation](array)) if orientation in TURNS else array


def checked(orientation: object) -> int:
    """Return the orientation that a file tells, 1 where that makes no sense."""
    return orientation if isinstance(orientation, int) and orientation in TURNS else 1
