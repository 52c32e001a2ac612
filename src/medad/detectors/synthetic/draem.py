"""DRAEM as a detector: images with textures in them, repaired by one network and segmented by another."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from medad.data.given import Images
from medad.detectors.contract.one_network import OneNetworkDetector
from medad.detectors.contract.options import STANDARD, TrainingOptions
from medad.detectors.contract.ranges import ranged
from medad.detectors.contract.summaries import MEANINGS, summaries
from medad.detectors.synthetic.draem_networks import DRAEMNetwork
from medad.errors import OptionError
from medad.networks.focal import focal_loss
from medad.networks.pixel_errors import dissimilarity
from medad.synthesis.draem import Textures, perlin_synthesis, turned_at_random
from medad.synthesis.texture_folder import folder_textures, read_textures
from medad.synthesis.textures import procedural_textures
from medad.training.phase import Chunk, set_lr
from medad.training.pixels import Pixels
from medad.training.spec import Recipe

SMOOTHED = 21  # pixels a side of the window in whose means the highest is looked for, of images of SMOOTHED_AT
SMOOTHED_AT = 256
SMALL: dict[str, Any] = {"size": 128, "width": 16, "lr": 1e-3}
MILESTONES, FALL = (0.8, 0.9), 0.2  # of training; the learning rate is multiplied by it at each


@dataclass(frozen=True)
class DRAEMOptions(TrainingOptions):
    """Options of DRAEM; the defaults are preset ``paper``.

    Attributes
    ----------
    width : int
        Channels of the first level of the network that repairs, an even number; that which segments has half as many.
    textures : str
        Folder of images that shine through the masks; empty for textures that are computed. Only training reads it.
    """

    scoring = TrainingOptions.scoring | {"textures"}

    size: int = 256
    epochs: int = 700
    batch_size: int = 8
    keep_last: bool = False
    lr: float = 1e-4
    width: int = ranged(128, 2, 128)
    textures: str = ""

    def __post_init__(self) -> None:
        """Refuse an odd width, and what `TrainingOptions` refuses."""
        super().__post_init__()
        if self.width % 2:
            raise OptionError("width", "choose an even number", self.width)

    def of_training(self) -> dict[str, Any]:
        """Return the options on which the weights depend: of textures what the folder holds, not where it is."""
        if not self.textures:
            return super().of_training()
        found = read_textures(self.textures, self.size, self.channels).fingerprint
        return super().of_training() | {"textures": found}


class DRAEM(OneNetworkDetector):
    """A network that takes foreign textures out of images, and one that finds them in what both images are.

    Into half of the normal images a texture is blended where Perlin noise is high. The first network learns to give
    the image as it was, the second, which sees the image and what the first made of it, where the texture is. The map
    is the second's probability of a texture.

    Scores: ``smooth_max``, the highest mean of the map in a window of 21 x 21 pixels, which is ``pred_score``; ``max``,
    ``mean`` and ``top`` of the map, of which the latter two suit diffuse anomalies.

    Differs from the paper: no set of textures is at hand; they are noise, cells, waves, disks and stripes between two
    random colours, if no folder is named (`textures`). Images have the channels that they have; of other images than
    those of 256 pixels, the window of the score is as much of a side. SSIM is that of windows inside the image. The ten
    changes of a texture are those of the public code, but for details of sharpness, contrast and steps of grey. Where a
    texture has the very colour of the image, black on black, nothing is to be found. The last epoch is the result.
    Presets ``standard`` and ``quick`` have images of 128 pixels, an eighth of the channels, 50 (``quick``: 15) epochs
    and a higher learning rate.

    References
    ----------
    Zavrtanik, Kristan, Skocaj, DRAEM: a discriminatively trained reconstruction embedding for surface anomaly
    detection, ICCV 2021; VitjanZ/DRAEM.
    """

    name = "draem"
    options_type = DRAEMOptions
    meanings = MEANINGS | {"smooth_max": "highest mean of the map in a window"}
    threads = 2
    presets = {
        "paper": {},
        "standard": STANDARD | SMALL | {"epochs": 50},
        "quick": SMALL | {"epochs": 15},
        "tiny": {"size": 64, "width": 2, "batch_size": 4, "steps": 2},
    }

    def fit(self, normal: Images, unlabeled: Images | None = None, **how: Any) -> Self:
        """Learn as every detector does; raises `UserError` also where textures cannot be read."""
        self.options.of_training()  # before anything is changed
        return super().fit(normal, unlabeled, **how)

    @classmethod
    def make(cls, options: Any) -> nn.Module:
        """Return both networks, untrained."""
        return DRAEMNetwork(options.channels, options.width)

    @classmethod
    def samples(cls, options: Any, images: Pixels, index: Tensor) -> Chunk:
        """Return images, the same with textures in them, both in [0, 1], and where these are."""
        x = turned_at_random(images(index))
        made = perlin_synthesis(x, x, textures_of(options))
        return (x + 1) / 2, (made.images + 1) / 2, made.labels

    @classmethod
    def objective(cls, options: Any, network: nn.Module) -> Callable[..., Tensor]:
        """Return squared error plus 1 - SSIM of the repaired image, plus the focal loss of the segmentation."""
        return partial(draem_loss, network)

    @classmethod
    def schedule(cls, options: Any, optimiser: Optimizer, recipe: Recipe) -> Callable[[int], None] | None:
        """Return what lets the learning rate fall to a fifth after 80 and once more after 90 % of training."""

        def before_step(number: int) -> None:
            passed = sum(number >= share * recipe.total_steps for share in MILESTONES)
            set_lr(optimiser, options.lr * FALL**passed)

        return before_step

    def analyse(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return scores and the map."""
        _, logits = self.folded_[self.name]((x + 1) / 2)
        found = logits.softmax(1)[:, 1]
        smooth = window_means(found).amax((1, 2))
        return summaries(found) | {"smooth_max": smooth, "pred_score": smooth}, {"anomaly_map": found}


def textures_of(options: DRAEMOptions) -> Textures:
    """Return what makes textures."""
    return partial(folder_textures, options.textures) if options.textures else procedural_textures


def draem_loss(network: nn.Module, clean: Tensor, changed: Tensor, mask: Tensor) -> Tensor:
    """Return the loss of both networks.

    Parameters
    ----------
    network : Module
        Images -> repaired images, logits.
    clean, changed : Tensor
        (n, C, S, S) in [0, 1].
    mask : Tensor
        (n, S, S), 1 where an image was changed.
    """
    repaired, logits = network(changed)
    return F.mse_loss(repaired, clean) + dissimilarity(clean, repaired).mean() + focal_loss(logits, mask)


def window_means(maps: Tensor) -> Tensor:
    """Return means of maps (n, S, S), zero outside, in windows of 21 pixels at 256, else of about as much of a side."""
    reach = round(SMOOTHED * maps.shape[-1] / SMOOTHED_AT) // 2
    return F.avg_pool2d(maps, 2 * reach + 1, stride=1, padding=reach)
