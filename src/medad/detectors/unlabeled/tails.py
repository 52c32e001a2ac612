"""How improbable a score is among normal images, beyond the most abnormal of them, too."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

SHARE = 10  # one in so many of the normal scores is the tail
FEW = 10  # at least so many are, but no more than half


def tail_of(scores: Tensor) -> dict[str, Tensor]:
    """Return what :func:`surprise` needs of the scores (n,) of normal images, n >= 2, that a model had not seen.

    ``known``: they in ascending order, float64; ``start`` and ``scale`` of the tail.
    """
    known = scores.double().sort().values
    count = min(max(len(known) // SHARE, FEW), len(known) // 2)
    start = known[-count - 1].clone()
    least = 1e-9 * max(float(start.abs()), 1e-9)  # equal scores: whatever is above them is far above them
    return {"known": known, "start": start, "scale": (known[-count:] - start).mean().clamp(min=least)}


def surprise(tail: Mapping[str, Tensor], score: Tensor) -> Tensor:
    """Return -log10 of the probability, (n,) float64, that a normal image scores as high as `score` (n,) or higher.

    Up to the start of the tail the probability is that of conformal prediction, log-linear between the known scores;
    in the tail excesses are taken to be distributed exponentially, with the mean of the known ones, so that scores
    beyond all known ones are still told apart, and none has probability 0.
    """
    known, score = tail["known"], score.double()
    places = len(known) + 1
    levels = -torch.log10(torch.arange(len(known), 0, -1, device=known.device).double() / places)
    inside = _interpolated(score.clamp(max=tail["start"]), known, levels)
    return inside + (score - tail["start"]).clamp(min=0) / tail["scale"] / math.log(10)


def _interpolated(x: Tensor, ends: Tensor, values: Tensor) -> Tensor:
    """Return the piecewise linear function through `ends` (ascending) and `values` at `x`, constant outside."""
    right = torch.searchsorted(ends, x).clamp(1, len(ends) - 1)
    width = ends[right] - ends[right - 1]
    share = torch.where(width > 0, (x - ends[right - 1]) / width.clamp(min=1e-300), 1.0).clamp(0, 1)
    return values[right - 1] + share * (values[right] - values[right - 1])
