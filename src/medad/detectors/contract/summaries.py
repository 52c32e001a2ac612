"""What a map comes to as a score, in the ways that several methods share."""

from torch import Tensor

TOP = 0.01  # share of the map's values of which score `top` is the mean
MEANINGS = {
    "max": "highest value of the map",
    "mean": "mean of the map",
    "top": "mean of the highest hundredth of the map",
}


def summaries(maps: Tensor) -> dict[str, Tensor]:
    """Return what maps (n, S, S) come to as scores, (n,) each."""
    values = maps.flatten(1)
    highest = values.topk(max(int(TOP * values.shape[1]), 1)).values
    return {"max": highest[:, 0], "mean": values.mean(1), "top": highest.mean(1)}
