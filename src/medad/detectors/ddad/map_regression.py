"""Maps as rows on which a regression tells unlabeled images from normal ones: logarithms of the means of cells."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

LEAST = 1e-6  # below it a discrepancy counts as so much


def cells_of(maps: Mapping[str, Tensor], grid: int) -> Tensor:
    """Return the logarithms of the means of maps (n, S, S) over a grid of cells, (n, maps x grid x grid)."""
    stacked = torch.stack(list(maps.values()), 1)
    return F.adaptive_avg_pool2d(stacked, grid).clamp(min=LEAST).log().flatten(1)
