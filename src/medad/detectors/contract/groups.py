"""Images in groups of one size, for methods that make much of roundings: these depend on how many images there are."""

from collections.abc import Callable

import torch
from torch import Tensor

Analysis = tuple[dict[str, Tensor], dict[str, Tensor]]

GROUP_PIXELS = {"cpu": 8 * 64**2, "cuda": 128 * 64**2}


def groups(x: Tensor) -> tuple[Tensor, ...]:
    """Return images `x`, (n, C, S, S), in groups of always the same number, the last one filled up with its last."""
    at_once = max(GROUP_PIXELS[x.device.type] // x[0, 0].numel(), 1)
    return torch.cat([x, x[-1:].expand(-len(x) % at_once, -1, -1, -1)]).split(at_once)


def in_groups(analyse: Callable[[Tensor], Analysis], x: Tensor) -> Analysis:
    """Return scores and maps of `x`, (n, C, S, S), as `analyse` finds them group by group."""
    found = zip(*(analyse(part) for part in groups(x)), strict=True)
    scores, maps = ({name: torch.cat([part[name] for part in kind])[: len(x)] for name in kind[0]} for kind in found)
    return scores, maps
