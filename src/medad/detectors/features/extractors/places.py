"""Where the places of a stage lie in the image, and maps of places at the size of the image."""

import torch
from torch import Tensor
from torch.nn import functional as F


def enlarged(x: Tensor, size: int, centred: bool = True) -> Tensor:
    """Return maps (n, c, h, w) as (n, c, size, size), bilinearly, continued by their outermost values.

    Parameters
    ----------
    x : Tensor
        Of square maps, h = w.
    size : int
        Side of what is returned.
    centred : bool
        Whether place i stands for the middle of the i-th of h equal parts of the image. After convolutions of odd
        size with as many zeros on either side it stands for the first pixel of that part.
    """
    if centred:
        return F.interpolate(x.float(), size, mode="bilinear")
    last = x.shape[-1] - 1
    at = torch.arange(size, device=x.device) * (x.shape[-1] / size)
    along = 2 * at / max(last, 1) - 1  # -1 and 1 are the middles of the first and of the last place
    grid = torch.stack(torch.meshgrid(along, along, indexing="xy"), -1).expand(len(x), -1, -1, -1)
    return F.grid_sample(x.float(), grid, padding_mode="border", align_corners=True)
