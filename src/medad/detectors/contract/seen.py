"""Which images a training has seen, known again by their content."""

from hashlib import blake2b

import numpy as np
import torch
from torch import Tensor

from medad.training.pixels import to_unit

AT_ONCE = 256


def digests(x: Tensor) -> Tensor:
    """Return a number for each of the images `x`, (n, C, S, S) in [-1, 1]: the same for the same 8-bit picture."""
    bytes_of = ((x + 1) * 127.5).round().to(torch.uint8).contiguous().cpu().numpy()
    numbers = [int.from_bytes(blake2b(image.tobytes(), digest_size=8).digest(), signed=True) for image in bytes_of]
    return torch.tensor(numbers, dtype=torch.int64, device=x.device)


def digests_of(pixels: np.ndarray) -> Tensor:
    """Return the same of images as they are kept, (n, C, S, S)."""
    parts = (pixels[i : i + AT_ONCE] for i in range(0, len(pixels), AT_ONCE))
    return torch.cat([digests(to_unit(part, torch.device("cpu"))) for part in parts])


def fold_of(x: Tensor, seen: Tensor, folds: Tensor) -> Tensor:
    """Return in which fold each of the images `x` was left out, (n,); -1 for those that no training has seen.

    Parameters
    ----------
    x : Tensor
        Images (n, C, S, S) in [-1, 1].
    seen, folds : Tensor
        (m,) digests of the images of the training in ascending order, and the fold of each.
    """
    found = digests(x)
    place = torch.searchsorted(seen, found).clamp(max=len(seen) - 1)
    return torch.where(seen[place] == found, folds[place], -1)
