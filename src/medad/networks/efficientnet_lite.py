"""EfficientNet-Lite0 as frozen features (Tan and Le, ICML 2019; the Lite form has ReLU6 and no squeezing)."""

import re
from itertools import pairwise

from torch import Tensor, nn

EPS = 1e-3  # of its batch norms
HEAD = 1280
# kernel, stride, expansion, outputs, repeats of each group of blocks
GROUPS = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
STAGES = {2: "24", 4: "40", 7: "80", 10: "112", 14: "192", 15: "320"}  # after which block; named by their channels


def _layer(inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(outputs, EPS)]


class InvertedResidual(nn.Sequential):
    """Widening by 1 x 1, a convolution of each channel alone, narrowing by 1 x 1; plus the input where shapes agree."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        inner = inputs * expansion
        widening = [*_layer(inputs, inner), nn.ReLU6(inplace=True)] if expansion > 1 else []
        of_each = [*_layer(inner, inner, kernel, stride, inner), nn.ReLU6(inplace=True)]
        super().__init__(nn.Sequential(*widening, *of_each, *_layer(inner, outputs)))
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, outputs, H / stride, W / stride) for `x` (n, inputs, H, W)."""
        return x + super().forward(x) if self.adds else super().forward(x)


class EfficientNetLite0(nn.Module):
    """EfficientNet-Lite0 without its classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(*_layer(3, 32, 3, 2), nn.ReLU6(inplace=True))
        widths = [32, *(group[3] for group in GROUPS)]
        self.blocks = nn.ModuleList(
            InvertedResidual(outputs if i else inputs, outputs, kernel, stride if i == 0 else 1, expansion)
            for (inputs, outputs), (kernel, stride, expansion, _, repeats) in zip(pairwise(widths), GROUPS, strict=True)
            for i in range(repeats)
        )
        self.head = nn.Sequential(*_layer(widths[-1], HEAD), nn.ReLU6(inplace=True))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Return the maps of every stage by the number of their channels, of RGB images `x`, (n, 3, S, S)."""
        x, found = self.stem(x), {}
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i in STAGES:
                found[STAGES[i]] = x
        return found | {str(HEAD): self.head(x)}


# Where the layers of a block stand in the published file, and here: counted from the end, as the first may be absent.
_PARTS = {"_expand_conv": 0, "_bn0": 1, "_depthwise_conv": -5, "_bn1": -4, "_project_conv": -2, "_bn2": -1}


def from_published(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights of :class:`EfficientNetLite0`, given those of the published file under their names there."""
    outside = {"_conv_stem": "stem.0", "_bn0": "stem.1", "_conv_head": "head.0", "_bn1": "head.1"}
    found = {}
    for name, value in state.items():
        module, _, kind = name.rpartition(".")
        block = re.fullmatch(r"_blocks\.(\d+)\.(\w+)", module)
        if block and block[2] in _PARTS:
            place = _PARTS[block[2]] % (5 if block[1] == "0" else 8)  # the first block does not widen
            found[f"blocks.{block[1]}.0.{place}.{kind}"] = value
        elif module in outside:
            found[f"{outside[module]}.{kind}"] = value
    return found
