"""What every synthesis of anomalies for a segmenter is."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor


class Made(NamedTuple):
    images: Tensor  # (n, C, S, S), equal to the input where nothing was changed
    labels: Tensor  # (n, S, S) float32, 0 outside the change


Synthesiser = Callable[[Tensor, Tensor], Made]  # images, sources (both (n, C, S, S) in [-1, 1]) -> Made
