"""DAE: a U-Net that removes coarse noise, and anomalies with it."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

from torch import Tensor, nn
from torch.optim import Optimizer

from medad.detectors.contract.one_network import OneNetworkDetector
from medad.detectors.contract.options import STANDARD, TrainingOptions
from medad.detectors.contract.ranges import ranged
from medad.detectors.reconstruction.unet import UNet
from medad.errors import OptionError, check_choice
from medad.networks.filters import median_filter
from medad.synthesis.coarse_noise import coarse_noise, eroded, foreground
from medad.training.phase import Chunk, adam, set_lr
from medad.training.pixels import Pixels
from medad.training.spec import Recipe

SCORES = ("a_rec_filtered", "a_rec")


@dataclass(frozen=True)
class DAEOptions(TrainingOptions):
    """Options of the DAE.

    Attributes
    ----------
    form : str
        ``"kascenas"`` (the authors' code) or ``"medianomaly"`` (Cai et al. 2025): what the options that are not
        given are.
    width, depth : int
        Channels of the U-Net's first level, and number of levels.
    epoch_steps : int or None
        Number of steps that count as an epoch; with none (``null``) an epoch is a pass over the images.
    anneal : int
        Epochs in which the learning rate falls to zero along a cosine; it rises again as it fell, and so on.
        0 keeps it constant.
    amsgrad : bool
        Variant of Adam.
    unit_range : bool
        Whether the network sees images in [0, 1] instead of [-1, 1]; residuals are on the same scale.
    foreground : float or None
        Pixels whose channels together exceed their image's minimum by more than this share of the range are foreground:
        noise is added, and ``a_rec_filtered`` measured, nowhere else. With none (``null``) every pixel is foreground.
    masked_loss : bool
        Whether the background is left out of the loss.
    medianomaly_compat : bool
        Also subtract 1 from every pixel of the noisy images, as MedIAnomaly's code does by mistake.
    score : str
        ``"a_rec_filtered"`` or ``"a_rec"``: which is ``pred_score`` and the anomaly map.
    """

    scoring = TrainingOptions.scoring | {"score"}

    form: str = "kascenas"
    width: int = ranged(64, 1, 64)
    depth: int = 4
    epochs: int = 2100
    epoch_steps: int | None = ranged(32, 1)
    batch_size: int = 16
    keep_last: bool = False
    lr: float = 1e-4
    weight_decay: float = 1e-5
    anneal: int = ranged(100, 0)
    amsgrad: bool = True
    unit_range: bool = True
    foreground: float | None = ranged(0.01, 0, 1)
    masked_loss: bool = True
    medianomaly_compat: bool = False
    score: str = "a_rec_filtered"

    def for_images(self, normal: int) -> Self:
        """Return the options of a training on so many normal images; epochs of `epoch_steps` stay as they are."""
        return super().for_images(normal) if self.epoch_steps is None else self

    def recipe(self, count: int) -> Recipe:
        """Return how long to train on `count` images."""
        recipe = super().recipe(count)
        if self.steps is None and self.epoch_steps is not None:
            return replace(recipe, steps=self.epochs * self.epoch_steps)
        return recipe


MEDIANOMALY: dict[str, Any] = {
    "depth": 5,
    "epochs": 250,
    "epoch_steps": None,
    "keep_last": True,
    "lr": 1e-3,
    "weight_decay": 0.0,
    "anneal": 0,
    "amsgrad": False,
    "unit_range": False,
    "foreground": 0.0,
    "masked_loss": False,
    "score": "a_rec",
}


class DAEDetector(OneNetworkDetector):
    """Denoising autoencoder: a U-Net that has learnt to remove coarse noise; the residual is the anomaly map.

    Scores: ``a_rec``, the squared residual, and ``a_rec_filtered``, the absolute residual inside the eroded
    foreground under a 5 x 5 median filter, each the mean of its map; ``pred_score`` is `score`.

    Differs from the paper: images have their own size and channels instead of four MRI sequences of 128 pixels, and
    their full range instead of the 99th percentile of the foreground; so foreground is what exceeds the image's
    minimum, by the code's 0.01. The grid of the noise has 16 x 16 points at any size. Their code has no image
    score; the mean of the map is ours. The last weights are the result, the code keeps those of the best validation
    loss. MedIAnomaly rescales the masked noise by (noise - 0.5) * 2, which also darkens every pixel; here it is 2 *
    noise unless `medianomaly_compat`. MedIAnomaly masks the noise on brain images only; here the form does so
    always (``foreground`` none switches it off), and its mask starts at the image's own minimum, not the batch's.
    Its 600 epochs on Brain Tumor are not built in.

    References
    ----------
    Kascenas, Pugeault, O'Neil, Denoising autoencoders for unsupervised anomaly detection in brain MRI, MIDL 2022;
    Cai et al., Medical Image Analysis 2025 (arXiv 2404.04518).
    """

    name = "dae"
    options_type = DAEOptions
    meanings = {
        "a_rec": "squared difference between image and denoised image",
        "a_rec_filtered": "absolute difference between image and denoised image, in the foreground, median-filtered",
    }
    threads = 2
    presets = {
        "paper": {},
        "standard": STANDARD,
        "quick": {"width": 16, "lr": 1e-3, "epochs": 32},
        "tiny": {"width": 4, "depth": 3, "steps": 2},
    }
    forms = {"kascenas": {}, "medianomaly": MEDIANOMALY}

    def __init__(self, options: DAEOptions | None = None, **settings: Any) -> None:
        super().__init__(options, **settings)
        o = self.options
        check_choice("score", o.score, SCORES)
        if not 1 <= o.depth <= _deepest(o.size):
            raise OptionError("depth", f"at size {o.size} choose a number from 1 to {_deepest(o.size)}", o.depth)

    @classmethod
    def make(cls, options: Any) -> nn.Module:
        """Return the untrained network."""
        return UNet(options.channels, options.width, options.depth)

    @classmethod
    def samples(cls, options: Any, images: Pixels, index: Tensor) -> Chunk:
        """Return clean images, noisy images, and where the loss counts, (n, 1, S, S)."""
        x = images(index)
        inside = foreground(x, options.foreground)
        noise = coarse_noise(x, together=options.batch_size) * inside
        noisy = x + 2 * (noise - 0.5 if options.medianomaly_compat else noise)
        counts = inside if options.masked_loss else inside.new_ones(inside.shape)
        return _scaled(options, x), _scaled(options, noisy), counts

    @classmethod
    def objective(cls, options: Any, network: nn.Module) -> Callable[..., Tensor]:
        """Return the mean over all pixels of the squared error, zero where it does not count."""
        return lambda clean, noisy, counts: ((network(noisy) - clean).square() * counts).mean()

    @classmethod
    def optimise(cls, options: Any, network: nn.Module) -> Optimizer:
        """Return Adam, with AMSGrad if the options say so."""
        o = options
        return adam(network, o.lr, o.weight_decay, (o.beta1, o.beta2), o.amsgrad)

    @classmethod
    def schedule(cls, options: Any, optimiser: Optimizer, recipe: Recipe) -> Callable[[int], None] | None:
        """Return what sets the learning rate of an epoch: a cosine that goes to zero and back."""
        if not options.anneal:
            return None
        length = options.epoch_steps or recipe.steps_per_epoch

        def set_rate(number: int) -> None:
            set_lr(optimiser, options.lr * 0.5 * (1 + math.cos(math.pi * (number // length) / options.anneal)))

        return set_rate

    def analyse(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return both residual maps and their means."""
        o, clean = self.options, _scaled(self.options, x)
        residual = clean - self.folded_[self.name](clean)
        inside = foreground(x, o.foreground)
        inside = inside if o.foreground is None else eroded(inside)
        filtered = median_filter((residual * inside).abs().mean(1, keepdim=True), 5)
        maps = {"a_rec": residual.square().mean(1), "a_rec_filtered": filtered.squeeze(1)}
        scores = {name: value.mean((1, 2)) for name, value in maps.items()}
        return scores | {"pred_score": scores[o.score]}, maps | {"anomaly_map": maps[o.score]}


def _scaled(options: DAEOptions, x: Tensor) -> Tensor:
    """Return images in [-1, 1] as the network sees them."""
    return (x + 1) / 2 if options.unit_range else x


def _deepest(size: int) -> int:
    """Return how many levels images of this side allow: each halves it, and 2 pixels must be left."""
    depth = 1
    while size % 2**depth == 0 and size >= 2 ** (depth + 1):
        depth += 1
    return depth
