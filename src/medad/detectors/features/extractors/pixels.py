"""The image itself, made small: what any network has to do better than."""

from torch import Tensor
from torch.nn import functional as F

from medad.detectors.features.extractors.contract import Extractor, Maps

SIDE = 32


class PixelsExtractor(Extractor):
    """Area means of 32 x 32 equal squares; the descriptor is all of them, place by place."""

    pooled = dense = ("pixels",)

    def forward(self, x: Tensor) -> Maps:
        """Return the images at 32 x 32, (n, C, 32, 32)."""
        return {"pixels": F.interpolate(x.contiguous(), SIDE, mode="area")}

    def describe(self, maps: Maps) -> Tensor:  # type: ignore[override]
        """Return all values, (n, C * 32 * 32)."""
        return maps["pixels"].flatten(1)

    def contributions(self, maps: Maps, weights: Tensor, size: int) -> Tensor:  # type: ignore[override]
        """Return what each place contributes: its values times their weights."""
        x = maps["pixels"]
        each = (x * weights.expand(len(x), -1).to(x).view_as(x)).sum(1, keepdim=True) * SIDE**2
        large = F.interpolate(each, size, mode="bilinear")[:, 0]
        return large + (each.mean((1, 2, 3)) - large.mean((1, 2)))[:, None, None]
