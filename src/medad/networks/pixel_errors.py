"""Errors of a reconstruction: their mean is a loss, their map an anomaly map."""

from typing import cast

from torch import Tensor, nn
from torch.nn import functional as F

from medad.networks.imagenet import ImageNetColours
from medad.networks.ssim import ssim_map
from medad.networks.vgg import VGG19


class PixelError(nn.Module):
    """An error of images `y` that stand for images `x`; called with both, it returns errors (n, c, h, w).

    Both are (n, C, S, S) in [-1, 1], `y` also beyond. How many errors, c, there are at a position and whether
    positions are pixels (h = w = S) is the error's own matter.
    """

    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the mean of all errors."""
        return self(x, y).mean()

    def map(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the mean error at every pixel, (n, S, S): where there are fewer errors, between them."""
        return resized(self(x, y).mean(1), x.shape[-1])


class SquaredError(PixelError):
    """(x - y)^2."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return errors (n, C, S, S)."""
        return (x - y).square()


class AbsoluteError(PixelError):
    """|x - y|."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return errors (n, C, S, S)."""
        return (x - y).abs()


class StructuralError(PixelError):
    """1 - SSIM, of values clamped to [-1, 1]: beyond there is no gradient."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return errors (n, C, S - 10, S - 10)."""
        return dissimilarity(_to_unit(x).clamp(0, 1), _to_unit(y).clamp(0, 1))


class PerceptualError(PixelError):
    """Relative L1 difference of VGG19's features: |f(x) - f(y)| / mean |f(x)|, the mean over an image.

    The features are taken as they are; the public code also subtracts their mean over ImageNet and divides by
    their variance, from a file of statistics that is not at hand here.
    """

    def __init__(self) -> None:
        super().__init__()
        self.vgg = VGG19()
        self.colours = ImageNetColours()

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return errors (n, 512, S / 8, S / 8)."""
        of_x, of_y = self._features(x).detach(), self._features(y)
        return (of_x - of_y).abs() / of_x.abs().mean((1, 2, 3), keepdim=True).clamp(min=1e-6)

    def _features(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.vgg(self.colours(x))).float()


PIXEL_ERRORS: dict[str, type[PixelError]] = {
    "l2": SquaredError,
    "l1": AbsoluteError,
    "ssim": StructuralError,
    "perceptual": PerceptualError,
}


def dissimilarity(x: Tensor, y: Tensor) -> Tensor:
    """Return 1 - SSIM (window 11, sigma 1.5) of images (n, C, S, S) in [0, 1]: (n, C, S - 10, S - 10)."""
    return 1 - ssim_map(x, y)


def resized(maps: Tensor, size: int) -> Tensor:
    """Return maps (n, h, w) as (n, size, size), bilinear; those of that size as they are."""
    if maps.shape[-1] == size:
        return maps
    return F.interpolate(maps[:, None], (size, size), mode="bilinear", align_corners=False)[:, 0]


def _to_unit(x: Tensor) -> Tensor:
    return (x + 1) / 2
