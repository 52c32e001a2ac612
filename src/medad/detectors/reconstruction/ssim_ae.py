"""SSIM-AE as a detector: patches in training, overlapping patches in scoring."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from medad.detectors.contract.options import STANDARD, TrainingOptions
from medad.detectors.contract.ranges import ranged
from medad.detectors.reconstruction.backbones import ReconstructionDetector
from medad.detectors.reconstruction.ssim_ae_network import SSIMAE
from medad.errors import OptionError
from medad.networks.pixel_errors import dissimilarity
from medad.training.phase import Chunk
from medad.training.pixels import Pixels

LARGEST_PATCH = 128


@dataclass(frozen=True)
class SSIMAEOptions(TrainingOptions):
    """Options of SSIM-AE.

    Attributes
    ----------
    width : int
        Channels of the first layers.
    latent : int
        Size of the code.
    stride : int
        Distance in pixels between the patches that score an image larger than 128 pixels.
    """

    scoring = TrainingOptions.scoring | {"stride"}

    epochs: int = 200
    batch_size: int = 128
    lr: float = 2e-4
    weight_decay: float = 1e-5
    width: int = ranged(32, 1, 64)
    latent: int = ranged(100, 1)
    stride: int = 32


class SSIMAEDetector(ReconstructionDetector):
    """Autoencoder of patches, trained and judged by structural similarity.

    The map is 1 - SSIM of patches and their reconstructions. Larger images than 128 pixels are trained on one patch
    of 128 at a random place of every image in every epoch, and scored by overlapping patches, of which a pixel
    takes the mean.

    Scores: ``a_rec``, the mean of its map.

    Differs from the paper: patches are cut anew in every epoch instead of once, one per image, without augmentation,
    so that few images mean few steps; the maps of
    overlapping patches are averaged, not their reconstructions; images of 64 pixels are one patch of a network with one
    stride-2 layer fewer. SSIM is that of windows inside the patch; up to the border its map is continued by its
    outermost values.

    References
    ----------
    Bergmann et al., VISAPP 2019.
    """

    name = "ssim_ae"
    options_type = SSIMAEOptions
    meanings = {
        "a_rec": "structural dissimilarity of image and reconstruction (1 - SSIM)",
    }
    forms = {}
    threads = 2
    presets = {
        "paper": {},
        "standard": STANDARD,
        "quick": {"width": 16, "epochs": 40, "batch_size": 32, "lr": 1e-3},
        "tiny": {"width": 2, "latent": 4, "steps": 2},
    }

    def __init__(self, options: SSIMAEOptions | None = None, **settings: Any) -> None:
        super().__init__(options, **settings)
        side = patch_side(self.options.size)
        if not 1 <= self.options.stride <= side:
            raise OptionError("stride", f"choose a number from 1 to {side}", self.options.stride)

    @classmethod
    def make(cls, options: Any) -> nn.Module:
        """Return the untrained network."""
        return SSIMAE(patch_side(options.size), options.channels, options.width, options.latent)

    @classmethod
    def samples(cls, options: Any, images: Pixels, index: Tensor) -> Chunk:
        """Return a patch of every image, in [0, 1]."""
        return ((random_patches(images(index), patch_side(options.size)) + 1) / 2,)

    @classmethod
    def objective(cls, options: Any, network: nn.Module) -> Callable[..., Tensor]:
        """Return the mean of 1 - SSIM."""
        return lambda patches: dissimilarity(patches, network(patches)).mean()

    def residual(self, x: Tensor) -> Tensor:
        """Return 1 - SSIM at every pixel, (n, S, S): the mean over all patches that hold it."""
        network, size, side = self.folded_[self.name], x.shape[-1], patch_side(x.shape[-1])
        x = (x + 1) / 2
        total, count = torch.zeros_like(x[:, 0]), torch.zeros_like(x[0, 0])
        for top in patch_starts(size, side, self.options.stride):
            for left in patch_starts(size, side, self.options.stride):
                at = (..., slice(top, top + side), slice(left, left + side))
                total[at] += patch_map(x[at], network(x[at]))
                count[at] += 1
        return total / count


def patch_side(size: int) -> int:
    """Return the side of the patches of images of `size` pixels: the largest power of 2 that fits, at most 128."""
    return min(1 << (size.bit_length() - 1), LARGEST_PATCH)


def patch_starts(size: int, side: int, stride: int) -> list[int]:
    """Return where patches begin, every `stride` pixels and at last so that they end with the image."""
    return [*range(0, size - side, stride), size - side]


def random_patches(x: Tensor, side: int) -> Tensor:
    """Cut one patch (C, side, side) from each of the images `x`, (n, C, S, S), all places alike.

    Randomness comes from torch's default generator on the images' device.
    """
    n, device = len(x), x.device
    start = torch.randint(x.shape[-1] - side + 1, (2, n, 1), device=device)
    rows, columns = start + torch.arange(side, device=device)
    image = torch.arange(n, device=device)[:, None, None]
    return x.movedim(1, -1)[image, rows[:, :, None], columns[:, None, :]].movedim(-1, 1)


def patch_map(x: Tensor, y: Tensor) -> Tensor:
    """Return 1 - SSIM of patches (n, C, side, side) in [0, 1], mean over channels, at every pixel: (n, side, side)."""
    inside = dissimilarity(x, y).mean(1, keepdim=True)
    margin = (x.shape[-1] - inside.shape[-1]) // 2
    return F.pad(inside, [margin] * 4, mode="replicate")[:, 0]
