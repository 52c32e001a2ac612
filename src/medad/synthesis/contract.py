"""What every synthesis of anomalies takes and gives."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor


class Made(NamedTuple):
    """Images with anomalies made in them.

    Attributes
    ----------
    images : Tensor
        (n, C, S, S), equal to the images given where nothing was changed.
    labels : Tensor
        (n, S, S) ``float32`` in [0, 1] (an intensity: grey levels), 0 outside the change; all 0 for an image that
        stayed clean.
    """

    images: Tensor
    labels: Tensor


# Called with images and, for each, a source: both (n, C, S, S) in [-1, 1]. A synthesis within one image takes the
# images themselves as sources. What is random comes from torch's default generator on the images' device.
Synthesiser = Callable[[Tensor, Tensor], Made]
